/** `wave artifacts --patch` in projects whose attributes or settings make git store other bytes than files have on disk. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type Project, project } from "../../rig/project.ts";

interface Row {
  readonly attributes?: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  readonly edit: string;
  /** Files after the patch was applied, as on disk. */
  readonly after: Readonly<Record<string, string>>;
}

const up = { "filter.up.clean": "tr a-z A-Z", "filter.up.smudge": "tr A-Z a-z" };

const rows: Readonly<Record<string, Row>> = {
  "a filter": {
    attributes: "*.bin filter=up\n",
    settings: up,
    files: { "a.bin": "one\ntwo\n", "dir/it's.bin": "x\n", "plain.txt": "p\n" },
    edit: 'echo three >> a.bin; echo y >> "dir/it\'s.bin"; echo new > new.bin; echo q >> plain.txt',
    after: { "a.bin": "one\ntwo\nthree\n", "dir/it's.bin": "x\ny\n", "new.bin": "new\n", "plain.txt": "p\nq\n" },
  },
  "a filter that is a script of the project and reads the path": {
    attributes: "*.bin filter=up\n",
    settings: { "filter.up.clean": "sh clean.sh %f", "filter.up.smudge": "sed 1d" },
    files: { "clean.sh": 'echo "cleaned $1"; cat\n', "a.bin": "one\n" },
    edit: "echo two >> a.bin",
    after: { "a.bin": "one\ntwo\n" },
  },
  "`eol=crlf`": {
    attributes: "*.txt text eol=crlf\n",
    files: { "a.txt": "one\r\ntwo\r\n", "gone.txt": "g\r\n" },
    edit: "printf 'three\\r\\n' >> a.txt; printf 'n\\r\\n' > new.txt; rm gone.txt",
    after: { "a.txt": "one\r\ntwo\r\nthree\r\n", "new.txt": "n\r\n" },
  },
  "`core.autocrlf=true`": {
    settings: { "core.autocrlf": "true" },
    files: { "a.txt": "one\r\ntwo\r\n" },
    edit: "printf 'three\\r\\n' >> a.txt",
    after: { "a.txt": "one\r\ntwo\r\nthree\r\n" },
  },
  "`-text` under `core.autocrlf=true`": {
    attributes: "*.raw -text\n",
    settings: { "core.autocrlf": "true" },
    files: { "a.raw": "one\r\n" },
    edit: "printf 'two\\r\\n' >> a.raw",
    after: { "a.raw": "one\r\ntwo\r\n" },
  },
  "`ident`": { attributes: "*.c ident\n", files: { "a.c": "$Id$\n" }, edit: "echo more >> a.c", after: {} },
  "another encoding": {
    attributes: "*.ini text working-tree-encoding=UTF-16LE-BOM\n",
    files: { "a.ini": "\ufeffk" },
    edit: "printf 'v\\0' >> a.ini",
    after: {},
  },
  "a changed file of attributes that is converted itself": {
    attributes: "* text eol=crlf\n",
    files: { "a.txt": "one\r\n" },
    edit: "printf '*.x -text\\r\\n' >> .gitattributes; printf 'two\\r\\n' >> a.txt",
    after: { "a.txt": "one\r\ntwo\r\n" },
  },
  "a file that became a directory": {
    attributes: "*.txt text eol=crlf\n",
    files: { "a.txt": "one\r\n", "d/b.txt": "b\r\n" },
    edit: "rm a.txt; mkdir a.txt; printf 'in\\r\\n' > a.txt/in.txt; printf 'c\\r\\n' >> d/b.txt",
    after: { "a.txt/in.txt": "in\r\n", "d/b.txt": "b\r\nc\r\n" },
  },
  "a directory with attributes that became a file": {
    files: { "d.txt/.gitattributes": "*.txt text eol=crlf\n", "d.txt/in.txt": "in\r\n", "d.txt/deep/in.txt": "deep\r\n" },
    edit: "rm -r d.txt; echo out > d.txt",
    after: { "d.txt": "out\n" },
  },
  "attributes that the step adds": {
    files: { "a.txt": "one\n" },
    edit: "mkdir new; echo '*.txt text' > new/.gitattributes; echo x > new/x.txt; echo '*.bin -text' > .gitattributes; echo two >> a.txt",
    after: { "a.txt": "one\ntwo\n", "new/x.txt": "x\n", "new/.gitattributes": "*.txt text\n" },
  },
  "a directory that became a file, without attributes": {
    files: { "d/in/x": "x\n" },
    edit: "rm -r d/in; echo out > d/in",
    after: { "d/in": "out\n" },
  },
};

const git = (root: string, words: readonly string[], input?: string): string =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "core.safecrlf=false", ...words], {
    ...{ cwd: root, encoding: "utf8", stdio: ["pipe", "pipe", "ignore"] },
    ...(input === undefined ? {} : { input }),
  });

async function patched({
  attributes,
  settings = {},
  files,
  edit,
}: Omit<Row, "after">): Promise<{ wave: Project; patch: string; stderr: string }> {
  const wave = project({
    ".gitignore": ".wave/state/\n",
    ...(attributes === undefined ? {} : { ".gitattributes": attributes }),
    "wave.yaml": `pipeline: { name: p, steps: [{ id: a, persona: s, task: x }] }\npersonas: { s: { adapter: command, command: ${JSON.stringify(edit)} } }\n`,
  });
  git(wave.root, ["init", "-q"]);
  for (const [name, value] of Object.entries(settings)) git(wave.root, ["config", name, value]);
  wave.write(Object.fromEntries(Object.entries(files).filter(([, text]) => !text.startsWith("\ufeff"))));
  for (const [name, text] of Object.entries(files)) {
    if (text.startsWith("\ufeff"))
      execFileSync("sh", ["-c", 'printf "\\377\\376%s\\0" "$1" > "$2"', "sh", text.slice(1), name], { cwd: wave.root });
  }
  git(wave.root, ["add", "-A"]);
  git(wave.root, ["commit", "-qm", "base"]);
  expect(await wave.wave("run", "--no-apply")).toMatchObject({ code: 0 });
  const { stdout, stderr } = await wave.wave("artifacts", "--patch");
  return { wave, patch: stdout, stderr };
}

describe.each(Object.entries(rows))("a patch of files with %s", (_, row) => {
  test.each([[[]], [["--index"]], [["--3way"]]])("is what `git diff` writes, and `git apply` takes it with %j", async (words) => {
    const { wave, patch, stderr } = await patched(row);
    expect(stderr).toBe("");
    git(wave.root, ["apply", "--whitespace=nowarn", ...words], patch);
    for (const [name, text] of Object.entries(row.after)) expect(readFileSync(path.join(wave.root, name), "utf8")).toBe(text);
    git(wave.root, ["add", "-A"]);
    expect(patch).toBe(git(wave.root, ["diff", "--cached", "--binary", "--full-index", "--no-renames"]));
  });
});

describe("a patch", () => {
  test("reads no attributes through a symlink that the step replaced by a directory", async () => {
    const outside = project({ ".gitattributes": "*.txt text eol=crlf\n", "sub/.gitattributes": "*.txt text eol=crlf\n" });
    const edit = "rm lnk; mkdir -p lnk/sub; printf 'in\\r\\n' > lnk/in.txt; printf 'in\\r\\n' > lnk/sub/in.txt";
    const wave = project({
      ".gitignore": ".wave/state/\n",
      "wave.yaml": `pipeline: { name: p, steps: [{ id: a, persona: s, task: x }] }\npersonas: { s: { adapter: command, command: ${JSON.stringify(edit)} } }\n`,
    });
    symlinkSync(outside.root, path.join(wave.root, "lnk"));
    git(wave.root, ["init", "-q"]);
    git(wave.root, ["add", "-A"]);
    git(wave.root, ["commit", "-qm", "base"]);
    expect(await wave.wave("run", "--no-apply")).toMatchObject({ code: 0 });
    const { stdout } = await wave.wave("artifacts", "--patch");
    expect(stdout.split("\n").filter((line) => /^\+in/.test(line))).toEqual(["+in\r", "+in\r"]);
    git(wave.root, ["apply", "--whitespace=nowarn", "--index"], stdout);
    expect(readFileSync(path.join(wave.root, "lnk/sub/in.txt"), "utf8")).toBe("in\r\n");
  });

  test("keeps line ends that the index keeps", async () => {
    const wave = project({
      ".gitignore": ".wave/state/\n",
      "a.txt": "one\r\n",
      "wave.yaml": `pipeline: { name: p, steps: [{ id: a, persona: s, task: x }] }\npersonas: { s: { adapter: command, command: "printf 'two\\\\r\\\\n' >> a.txt" } }\n`,
    });
    git(wave.root, ["init", "-q"]);
    git(wave.root, ["add", "-A"]);
    git(wave.root, ["commit", "-qm", "base"]);
    wave.write({ ".gitattributes": "* text=auto\n" });
    expect(await wave.wave("run", "--no-apply")).toMatchObject({ code: 0 });
    const { stdout } = await wave.wave("artifacts", "--patch");
    git(wave.root, ["apply", "--whitespace=nowarn", "--index"], stdout);
    expect(readFileSync(path.join(wave.root, "a.txt"), "utf8")).toBe("one\r\ntwo\r\n");
  });

  test("contains the pointers of LFS, without running it", async () => {
    const lfs = { "filter.lfs.clean": "false git-lfs clean -- %f", "filter.lfs.process": "false git-lfs filter-process" };
    const pointer = (text: string) =>
      `version https://git-lfs.github.com/spec/v1\noid sha256:${createHash("sha256").update(text).digest("hex")}\nsize ${text.length}\n`;
    const { patch, stderr } = await patched({
      ...{ attributes: "*.psd filter=lfs -text\n", files: { "a.psd": pointer("one") }, edit: "printf second > a.psd; : > empty.psd" },
    }).then(async ({ wave }) => {
      for (const [name, value] of Object.entries(lfs)) git(wave.root, ["config", name, value]);
      const again = await wave.wave("artifacts", "--patch");
      return { patch: again.stdout, stderr: again.stderr };
    });
    expect(stderr).toBe("");
    const added = patch.split("\n").filter((line) => /^\+(?!\+\+)/.test(line));
    expect(added).toEqual(pointer("second").split("\n").slice(1, -1).map((line) => `+${line}`)); // biome-ignore format: one thought
    expect(patch).toContain("diff --git a/empty.psd b/empty.psd\nnew file mode 100644");
  });

  test.each([
    ["fails", {}],
    ["cannot run, because there is no sandbox", { WAVE_ISOLATION: "none" }],
  ])("contains a file as it is on disk if its filter %s, with a warning", async (_, env) => {
    const settings = { "filter.up.clean": "cat; exit 1", "filter.up.smudge": "cat" };
    const { wave } = await patched({ attributes: "*.bin filter=up\n", files: { "a.bin": "one\n" }, edit: "echo two >> a.bin" });
    for (const [name, value] of Object.entries(settings)) git(wave.root, ["config", name, value]);
    const { code, stdout, stderr } = await wave.start(["artifacts", "--patch"], env).finished;
    expect([code, stderr]).toEqual([0, expect.stringContaining("warning: a.bin: its git filter did not run in the sandbox")]);
    expect(stdout).toContain(" one\n+two\n");
  });

  test("is written with a filter that cannot write to the project, its repository or the home directory", async () => {
    const { wave } = await patched({ attributes: "*.bin filter=up\n", files: { "a.bin": "one\n" }, edit: "echo two >> a.bin" });
    const places = ["written.txt", ".git/written", "../wave-filter-written"].map((name) => path.join(wave.root, name));
    git(wave.root, ["config", "filter.up.clean", `for f in ${places.join(" ")}; do echo x > $f; done; cat`]);
    const { code, stdout } = await wave.wave("artifacts", "--patch");
    expect([code, stdout]).toEqual([0, expect.stringContaining("+two")]);
    expect(places.filter(existsSync)).toEqual([]);
  });
});
