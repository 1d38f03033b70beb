/** Tests collecting ignored, hidden, secret and large files, starts other than the plain project, and many files. */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { collectChanges } from "../../../src/changeset/collect-changes.ts";
import { compose, entryOf } from "../../../src/changeset/combine-changes.ts";
import { removeTree } from "../../../src/changeset/remove-tree.ts";
import { takeSnapshot } from "../../../src/changeset/snapshot.ts";
import type { Changeset } from "../../../src/core/changeset.ts";
import { digestOfBytes } from "../../../src/core/digest.ts";
import { createRedactor } from "../../../src/redaction/redactor.ts";
import { freshProject } from "../../rig/changeset-conformance.ts";
import { isState, must, places, scratch } from "../../rig/changeset-places.ts";
import { changesBetween, leafTree, withoutPermissions } from "../../rig/leaf-tree.ts";
import { memoryBlobs } from "../../rig/memory-blobs.ts";

const paths = (changes: Changeset) => changes.map(({ path: file }) => file);

function projectOf(script: string): string {
  const root = path.join(scratch(), "project");
  mkdirSync(root);
  execFileSync("bash", ["-euc", script], { cwd: root });
  return root;
}

describe.each(places)("in a workspace of kind $name", (place) => {
  async function changesOf(root: string, script: string, include: readonly string[] = []) {
    const attempt = await place.open({ root });
    attempt.edit(script);
    return must(await attempt.collect({ include }));
  }

  test("drops files that git ignores unless they are tracked or included", async () => {
    const root = freshProject();
    const script =
      "echo x > new.o; echo x >> tracked.o; rm ignored.o; echo y > node_modules/p/i.js; mkdir build dir/build; echo z > build/z; echo k > keep.o";
    expect(paths((await changesOf(root, script)).changes)).toEqual(["tracked.o"]);
    expect(paths((await changesOf(root, script, ["keep.o", "build/**"])).changes)).toEqual(["build/z", "keep.o", "tracked.o"]);
  });

  test("drops installed packages without git", async () => {
    const root = projectOf("mkdir -p node_modules/a pkg; echo 1 > node_modules/a/i; echo 2 > pkg/f; printf '*.o\\n' > .gitignore");
    const { changes } = await changesOf(
      root,
      "echo 2 > node_modules/a/i; mkdir -p pkg/node_modules; echo 3 > pkg/node_modules/x; echo 4 > pkg/x.o",
    );
    expect(paths(changes)).toEqual(["pkg/x.o"]);
  });

  test("treats a project that its repository ignores as one without git", async () => {
    const outer = projectOf("git init -q .; echo project/ > .gitignore; mkdir project; echo f > project/f");
    expect(paths((await changesOf(path.join(outer, "project"), "echo g > g; rm f")).changes)).toEqual(["f", "g"]);
  });

  test("applies all rules of the repository to a project in a subdirectory", async () => {
    const outer = projectOf(
      "git init -q .; echo '*.log' > .gitignore; mkdir project; echo '/out' > project/.gitignore; echo f > project/f",
    );
    expect(paths((await changesOf(path.join(outer, "project"), "echo g > g.log; echo o > out; echo n > n")).changes)).toEqual(["n"]);
  });

  test("still ignores a symlink to ignored files that became a directory", async () => {
    const root = projectOf("git init -q .; echo node_modules > .gitignore; mkdir store; ln -s store node_modules; ln -s store other");
    const { changes } = await changesOf(root, "rm node_modules other; mkdir node_modules other; echo 1 > node_modules/x; echo 1 > other/x");
    expect(paths(changes)).toEqual(["other", "other/x"]);
  });

  test("treats directories with only ignored content as neither filled nor empty", async () => {
    const root = projectOf(
      "git init -q .; echo '*.o' > .gitignore; mkdir empty mixed; echo m > mixed/m; echo o > mixed/o.o; mkdir objects; echo o > objects/a.o",
    );
    expect((await changesOf(root, "echo x > empty/x.o; rm objects/a.o; mkdir new; echo n > new/n.o")).changes).toEqual([]);
    expect(paths((await changesOf(root, "rm mixed/m; echo x > objects/x")).changes)).toEqual(["mixed/m", "objects/x"]);
    expect(paths((await changesOf(root, "rm -r mixed objects empty")).changes)).toEqual(["empty", "mixed/m"]);
  });

  test("reports pipes, sockets and devices without keeping them", async () => {
    const { changes, skipped } = await changesOf(
      freshProject(),
      "mkfifo new; mkdir d; mkfifo $'d/\\xff' ignored2.o; rm b.txt; mkfifo b.txt",
    );
    expect([paths(changes), skipped]).toEqual([["b.txt"], ["b.txt", "d/\\xff", "new"]]);
  });

  test("keeps hidden files unless the attempt wrote them", async () => {
    const root = freshProject();
    const hidden = ["a.txt", "single/only", "dir/one", "dir/deep/x"];
    const attempt = await place.open({ root, hidden });
    attempt.edit('test ! -e a.txt; echo a > a.txt; test -z "$(ls single)"; rm -r single; rm -r dir/deep; rm dir/two');
    expect(paths(must(await attempt.collect()).changes)).toEqual(["dir/two"]);
    const writing = await place.open({ root, hidden });
    writing.edit("echo other > a.txt; echo new > dir/deep/x; rm dir/two; echo 1 > single/more");
    expect(must(await writing.collect()).changes).toMatchObject([
      { path: "a.txt", before: { digest: digestOfBytes("a\n") }, after: { digest: digestOfBytes("other\n") } },
      { path: "dir/deep/x", before: { digest: digestOfBytes("x\n") } },
      { path: "dir/two" },
      { path: "single/more" },
    ]);
  });

  test.each([
    [
      "rm -r dir; echo 1 > dir; rm b.txt; ln -sf b.txt link; echo n > new",
      "rm dir; mkdir dir; echo 2 > dir/one; echo b > b.txt; echo n2 > new",
    ],
    [
      "rm -r nest single; mkdir added; echo x > added/x; echo e > empty/e",
      "mkdir -p nest/in; echo new > nest/in/f; rm -r added; rm empty/e",
    ],
    ["rm single/only dir/one; chmod +x a.txt", "rmdir single; mv dir moved; echo more >> a.txt; chmod -x a.txt"],
    ["rm -r empty; echo e > empty; echo o > $'raw\\xff\\xfe'", "rm empty; mkdir empty; rm $'raw\\xff\\xfe'"],
    ["mkdir -p x/y/z; echo f > x/y/z/f; rm -r dir/deep", "rm x/y/z/f; mkdir dir/deep; touch dir/deep/.keep"],
    ["mv dir d2; mv single dir", "mv dir single; mv d2 dir"],
  ])("does not count changes of the start: %s", async (first, second) => {
    const root = freshProject();
    const blobs = memoryBlobs();
    const upstream = await place.open({ root, blobs });
    upstream.edit(first);
    const start = must(await upstream.collect()).changes;
    const middle = leafTree(upstream.dump(), isState);
    const attempt = await place.open({ root, blobs, start });
    expect(leafTree(attempt.dump(), isState)).toEqual(middle);
    expect(must(await attempt.collect()).changes).toEqual([]);
    attempt.edit(second);
    const { changes } = must(await attempt.collect());
    const end = leafTree(attempt.dump(), isState);
    expect(withoutPermissions(changes)).toEqual(changesBetween(middle, end));
    expect(withoutPermissions(compose(start, changes))).toEqual(changesBetween(leafTree(root, isState), end));
  });

  test("fails for a new secret, and keeps no bytes with an old one", async () => {
    const redactor = createRedactor(["hunter2-hunter2"]);
    const root = projectOf("echo 'token: hunter2-hunter2' > old; echo x > x");
    for (const script of [
      "echo 'a hunter2-hunter2' > new",
      "ln -s hunter2-hunter2 link",
      "mkdir hunter2-hunter2",
      "printf hunter2-hunter2 | base64 > x",
    ]) {
      const attempt = await place.open({ root });
      attempt.edit(script);
      expect(await attempt.collect({ redactor })).toMatchObject({ ok: false, error: { reason: "secret-leaked" } });
    }
    const blobs = memoryBlobs();
    const attempt = await place.open({ root, blobs });
    attempt.edit("echo none > old");
    const { changes } = must(await attempt.collect({ redactor }));
    const before = digestOfBytes("token: hunter2-hunter2\n");
    expect(changes).toMatchObject([{ path: "old", before: { digest: before } }]);
    expect(await blobs.get(before)).toMatchObject({ ok: false });
    expect(await blobs.get(digestOfBytes("none\n"))).toMatchObject({ ok: true });
  });

  test("refuses a file that is too large without reading it, unless it is ignored", async () => {
    const root = projectOf("git init -q .; echo '*.img' > .gitignore");
    const attempt = await place.open({ root });
    attempt.edit("truncate -s 900G ignored.img");
    expect(must(await attempt.collect()).changes).toEqual([]);
    attempt.edit("mkdir d; truncate -s 900G d/sparse");
    expect(await attempt.collect()).toMatchObject({ ok: false, error: { reason: "changeset-refused", path: "d/sparse" } });
    attempt.edit("rm d/sparse; echo 12345 > d/small");
    expect(await attempt.collect({ limits: { fileBytes: 5 } })).toMatchObject({ ok: false, error: { path: "d/small" } });
  });

  test("collects 20,000 files", async () => {
    const root = freshProject();
    const blobs = memoryBlobs();
    const attempt = await place.open({ root, blobs });
    attempt.edit("mkdir many; cd many; mkdir {0..99}; for d in {0..99}; do for f in {0..199}; do echo $d/$f > $d/$f; done; done");
    const { changes } = must(await attempt.collect());
    expect(changes.length).toBe(20_000);
    const entry = entryOf("many/99/199", undefined, { mode: "100644", digest: digestOfBytes("99/199\n"), size: 7 });
    expect(changes.find((one) => one.path === "many/99/199")).toEqual(entry);
  }, 60_000);
});

test.runIf(process.geteuid?.() === 0)("files that an attempt closed to its own user are collected and closed again", async () => {
  const nobody = 65_534;
  const [root, directory] = [scratch(), scratch()];
  for (const place of [root, directory]) {
    writeFileSync(path.join(place, "file"), "before");
    for (const one of [place, path.join(place, "file")]) chownSync(one, nobody, nobody);
  }
  process.setegid?.(nobody);
  process.seteuid?.(nobody);
  try {
    const snapshot = must(await takeSnapshot(directory));
    mkdirSync(path.join(directory, "d/e"), { recursive: true });
    for (const file of ["file", "d/f", "d/e/g"]) writeFileSync(path.join(directory, file), "closed");
    const closed = ["d/e/g", "d/f", "d/e", "d", "file"];
    for (const file of closed) chmodSync(path.join(directory, file), 0);
    const { changes } = must(
      await collectChanges({
        ...{ root, start: [], source: { kind: "copy", directory, snapshot }, isExcluded: isState },
        ...{ blobs: memoryBlobs(), redactor: createRedactor([]) },
      }),
    );
    expect(paths(changes)).toEqual(["d/e/g", "d/f", "file"]);
    process.seteuid?.(0);
    for (const file of closed) expect(lstatSync(path.join(directory, file)).mode & 0o777).toBe(0);
    process.seteuid?.(nobody);
    must(await removeTree(path.join(directory, "d")));
    expect(existsSync(path.join(directory, "d"))).toBe(false);
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
});
