/** Tests applying: forth, back, again after an interruption at any point, and not at all where something else made changes. */
import { execFileSync } from "node:child_process";
import fs, { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { applyChangeset, matchesBefore } from "../../../src/changeset/apply-changes.ts";
import { compose, reverse } from "../../../src/changeset/combine-changes.ts";
import type { Changeset } from "../../../src/core/changeset.ts";
import type { Digest } from "../../../src/core/digest.ts";
import { must, scratch } from "../../rig/changeset-places.ts";
import { changesBetween, type LeafTree, leafTree, withoutPermissions } from "../../rig/leaf-tree.ts";
import { type MemoryBlobs, memoryBlobs } from "../../rig/memory-blobs.ts";
import fc from "../../rig/property.ts";
import { collected, copyOf, edits, make } from "../../rig/random-edits.ts";

function projectOf(script: string): string {
  const root = path.join(scratch(), "project");
  mkdirSync(root);
  execFileSync("bash", ["-euc", script], { cwd: root });
  return root;
}

/** The changes that a script makes, and the resulting tree. */
async function changesOf(root: string, script: string, blobs: MemoryBlobs): Promise<{ changes: Changeset; after: LeafTree }> {
  const copy = copyOf(root);
  const changes = await collected(root, [], copy, [() => void execFileSync("bash", ["-euc", script], { cwd: copy })], blobs);
  return { changes, after: leafTree(copy) };
}

describe("any edits of any tree", () => {
  test("are collected exactly, composed, applied and reverted", async () => {
    await fc.assert(
      fc.asyncProperty(edits, edits, edits, async (base, first, second) => {
        const root = scratch();
        make(root, base);
        const before = leafTree(root);
        const blobs = memoryBlobs();
        const work = copyOf(root);
        const one = await collected(root, [], work, first, blobs);
        const middle = leafTree(work);
        expect(withoutPermissions(one)).toEqual(changesBetween(before, middle));
        const two = await collected(root, one, work, second, blobs);
        const after = leafTree(work);
        expect(withoutPermissions(two)).toEqual(changesBetween(middle, after));
        const both = compose(one, two);
        const target = copyOf(root);
        for (const [changes, tree] of [
          [one, middle],
          [two, after],
          [reverse(two), middle],
          [reverse(one), before],
          [both, after],
          [reverse(both), before],
        ] as const) {
          expect(await matchesBefore({ root: target, changes })).toBe(true);
          expect(must(await applyChangeset({ root: target, changes, blobs })).kind).toBe("applied");
          expect(leafTree(target)).toEqual(tree);
        }
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});

/** Applies, and stops before the bytes of one more file are read. */
async function interrupted(root: string, changes: Changeset, blobs: MemoryBlobs, after: number): Promise<void> {
  let left = after;
  const dying = new Proxy(blobs, {
    get: (target, key) =>
      key !== "get"
        ? Reflect.get(target, key)
        : async (digest: Digest) =>
            left-- > 0 ? target.get(digest) : { ok: false, error: { reason: "state-damaged", path: "", detail: "killed" } },
  });
  await applyChangeset({ root, changes, blobs: dying });
}

describe("changes by others", () => {
  const script =
    "rm gone; echo new > changed; echo a > added; rm -r dir; echo f > dir; mkdir deep; echo d > deep/file; rm -r tree/inner; ln -sf b link";
  const project = () =>
    projectOf(
      "echo g > gone; echo c > changed; mkdir dir; echo 1 > dir/1; mkdir -p tree/inner; echo i > tree/inner/i; echo t > tree/t; ln -s a link",
    );

  test.each([
    ["a file changed", "echo other > changed", "changed"],
    ["a file changed to the same size", "echo x > changed", "changed"],
    ["a file made executable", "chmod +x changed", "changed"],
    ["a file deleted", "rm changed", "changed"],
    ["a file to be deleted changed", "echo other > gone", "gone"],
    ["something where a file is to be added", "echo mine > added", "added"],
    ["a directory where a file is to be added", "mkdir added; echo mine > added/mine", "added/mine"],
    ["a pipe where a file is to be added", "mkfifo added", "added"],
    ["a symlink where a file is to be added", "ln -s /etc/passwd added", "added"],
    ["a file changed to a symlink to itself", "mv changed real; ln -s real changed", "changed"],
    ["more in a directory that makes way for a file", "echo mine > dir/mine", "dir/mine"],
    ["a repository in a directory that makes way for a file", "mkdir dir/.git", "dir/.git"],
    ["a symlink in place of a parent", "ln -s /tmp deep", "deep"],
    ["a file in place of a parent", "echo mine > deep", "deep"],
    ["a symlink in place of a parent of a deletion", "mv tree real; ln -s real tree", "tree"],
    ["a symlink to elsewhere", "ln -sfn c link", "link"],
  ])("%s: changes nothing and names the path", async (_, theirs, named) => {
    const root = project();
    const blobs = memoryBlobs();
    const { changes } = await changesOf(root, script, blobs);
    execFileSync("bash", ["-euc", theirs], { cwd: root });
    const before = leafTree(root);
    const outcome = must(await applyChangeset({ root, changes, blobs }));
    expect(outcome).toMatchObject({ kind: "refused", paths: [{ path: named, expected: expect.any(String), found: expect.any(String) }] });
    expect(leafTree(root)).toEqual(before);
    expect(await matchesBefore({ root, changes })).toBe(false);
  });

  test("are kept at other paths", async () => {
    const root = project();
    const blobs = memoryBlobs();
    const { changes } = await changesOf(root, script, blobs);
    execFileSync("bash", ["-euc", "echo mine > mine; echo mine > tree/inner/mine; mkdir deep; echo mine > deep/mine"], { cwd: root });
    expect(must(await applyChangeset({ root, changes, blobs }))).toMatchObject({ kind: "applied" });
    for (const file of ["mine", "tree/inner/mine", "deep/mine"]) expect(readFileSync(path.join(root, file), "utf8")).toBe("mine\n");
    expect(existsSync(path.join(root, "tree/inner/i"))).toBe(false);
  });

  test("count as done if they made the same change", async () => {
    const root = project();
    const blobs = memoryBlobs();
    const { changes } = await changesOf(root, script, blobs);
    execFileSync("bash", ["-euc", "rm gone; echo new > changed"], { cwd: root });
    expect(must(await applyChangeset({ root, changes, blobs }))).toMatchObject({ kind: "applied", already: 2 });
    expect(must(await applyChangeset({ root, changes, blobs }))).toMatchObject({ already: changes.length, written: 0, deleted: 0 });
  });
});

describe("written files", () => {
  test("keep their permissions and owners", async () => {
    const root = projectOf("echo 1 > private; chmod 600 private; echo 2 > run; chmod 6750 run; mkdir theirs; echo 3 > theirs/old");
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) for (const file of ["theirs", "theirs/old"]) chownSync(path.join(root, file), 1234, 1234);
    const blobs = memoryBlobs();
    const { changes } = await changesOf(
      root,
      "echo a > private; chmod -x run; chmod +x theirs/old; echo n > theirs/new; mkdir theirs/d; echo d > theirs/d/d",
      blobs,
    );
    must(await applyChangeset({ root, changes, blobs }));
    const modes = ["private", "run", "theirs/old"].map((file) => (lstatSync(path.join(root, file)).mode & 0o7777).toString(8));
    expect(modes).toEqual(["600", "640", "755"]);
    if (isRoot)
      for (const file of ["theirs/old", "theirs/new", "theirs/d", "theirs/d/d"]) expect(lstatSync(path.join(root, file)).uid).toBe(1234);
  });

  test("do not change other hard links, and leave no temporary files", async () => {
    const root = projectOf("echo 1 > a");
    const blobs = memoryBlobs();
    const { changes } = await changesOf(root, "echo 2 > a", blobs);
    const other = path.join(scratch(), "other");
    fs.linkSync(path.join(root, "a"), other);
    must(await applyChangeset({ root, changes, blobs }));
    expect([readFileSync(other, "utf8"), readFileSync(path.join(root, "a"), "utf8"), readdirSync(root)]).toEqual(["1\n", "2\n", ["a"]]);
  });

  test("replace temporary files of an interrupted write", async () => {
    const root = projectOf("mkdir d; echo 1 > d/a");
    const blobs = memoryBlobs();
    const { changes } = await changesOf(root, "echo 2 > d/a; echo 3 > d/b", blobs);
    await interrupted(root, changes, blobs, 1);
    const { temporaryFor } = await import("../../../src/changeset/write-entry.ts");
    writeFileSync(path.join(root, temporaryFor("d/b")), "ha");
    must(await applyChangeset({ root, changes: reverse(changes), blobs }));
    expect(readdirSync(path.join(root, "d"))).toEqual(["a"]);
  });
});

test("a symlink in the way is never followed, even for the cleanup", async () => {
  const root = projectOf("ln -s ../outside a");
  const blobs = memoryBlobs();
  const { changes } = await changesOf(root, "rm a; mkdir a; echo b > a/b", blobs);
  const outside = path.join(root, "../outside");
  mkdirSync(outside);
  const { temporaryFor } = await import("../../../src/changeset/write-entry.ts");
  const bait = path.join(outside, path.basename(temporaryFor("a/b")));
  writeFileSync(bait, "kept");
  must(await applyChangeset({ root, changes, blobs }));
  expect([readdirSync(outside), readFileSync(path.join(root, "a/b"), "utf8")]).toEqual([[path.basename(bait)], "b\n"]);
});

test("missing bytes are found before anything is written", async () => {
  const root = projectOf("echo 1 > a; echo 1 > z");
  const blobs = memoryBlobs();
  const { changes } = await changesOf(root, "echo 2 > a; echo 3 > z", blobs);
  const last = changes.at(-1)?.after;
  if (last !== undefined && "digest" in last) blobs.lose(last.digest);
  expect(await applyChangeset({ root, changes, blobs })).toMatchObject({ ok: false, error: { reason: "state-damaged" } });
  expect(readFileSync(path.join(root, "a"), "utf8")).toBe("1\n");
});

test.each([".git/hooks/x", "../x", "/etc/x", "a/../../x", "a//b"])("a changeset with the path `%s` is refused", async (bad) => {
  const root = projectOf("true");
  const blobs = memoryBlobs();
  const { digest, size } = must(await blobs.put(Buffer.from("x")));
  const changes: Changeset = [{ path: bad, after: { mode: "100644", digest, size } }];
  expect(await applyChangeset({ root, changes, blobs })).toMatchObject({ ok: false, error: { reason: "changeset-refused" } });
});

describe("an edit while changes are written", () => {
  test.each<[string, string, string]>([
    ["a file that is to be replaced", "echo step > b.txt", "echo user > b.txt"],
    ["a file that is to be deleted", "rm b.txt", "echo user > b.txt"],
    ["a new file where one is to be created", "echo step > c.txt", "echo user > c.txt"],
    ["a deletion of a file that is to be replaced", "echo step > b.txt", "rm b.txt"],
  ])("is kept: %s", async (_, script, user) => {
    const root = projectOf("echo a > a.txt; echo b > b.txt");
    const blobs = memoryBlobs();
    const { changes } = await changesOf(root, `echo step > a.txt; ${script}`, blobs);
    const edit = () => void execFileSync("sh", ["-euc", user], { cwd: root });
    let edited: LeafTree | undefined;
    const paths = blobs.pathOf;
    // The last call to the store before the first write.
    const pathOf: typeof paths = async (digest) => {
      if (edited === undefined) edit();
      edited ??= leafTree(root);
      return paths(digest);
    };
    const applied = await applyChangeset({ root, changes, blobs: { ...blobs, pathOf } });
    expect(applied).toMatchObject({
      ok: false,
      error: { reason: "workspace-failed", detail: expect.stringContaining("changed it meanwhile") },
    });
    const after = leafTree(root);
    for (const name of ["b.txt", "c.txt"]) expect(after.get(name)).toEqual(edited?.get(name));
    expect(must(await applyChangeset({ root, changes, blobs }))).toMatchObject({ kind: "refused" });
  });

  test("is not detected falsely when two hard links of a file are replaced", async () => {
    const root = projectOf("echo a > a.txt; ln a.txt b.txt");
    const blobs = memoryBlobs();
    const { changes, after } = await changesOf(root, "echo step > a.txt; echo other > b.txt.new; mv b.txt.new b.txt", blobs);
    expect(must(await applyChangeset({ root, changes, blobs }))).toMatchObject({ kind: "applied" });
    expect(leafTree(root)).toEqual(after);
  });
});
