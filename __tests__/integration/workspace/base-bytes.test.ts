/** Tests that a base identifies the bytes on disk, whatever git was told about a file or converts in it. */
import { execFileSync } from "node:child_process";
import { rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { takeBase } from "../../../src/workspace/base.ts";
import { commitAll, gitIn } from "../../rig/git-traps.ts";
import { project } from "../../rig/project.ts";

async function treeOf(root: string): Promise<string> {
  const base = await takeBase(root, path.join(root, ".wave/state"), new Map());
  if (!base.ok) throw new Error(JSON.stringify(base.error));
  expect(base.value.kind).toBe("git");
  return base.value.tree;
}

function repository(files: Readonly<Record<string, string>>): string {
  const { root } = project({ "a.txt": "a\n", "sub/b.txt": "b\n", ".gitignore": ".wave\n", ...files });
  commitAll(root);
  return root;
}

/** Writes a file that git considers unchanged: its index contains the file's size and times with the id of the stored bytes. */
function writeAsClean(root: string, name: string, text: string): void {
  const filter = ["-c", "filter.lfs.clean=cat pointer", "-c", "filter.lfs.required=true"];
  writeFileSync(path.join(root, name), text);
  utimesSync(path.join(root, name), 1_000_000, 1_000_000);
  gitIn(root, ...filter, "add", name);
  expect(gitIn(root, "status", "--short")).toBe("");
}

test.each(["--assume-unchanged", "--skip-worktree"])("a file under `update-index %s` counts with its bytes on disk", async (flag) => {
  const root = repository({});
  const clean = await treeOf(root);
  for (const name of ["a.txt", "sub/b.txt"]) gitIn(root, "update-index", flag, name);
  expect(await treeOf(root)).toBe(clean);
  writeFileSync(path.join(root, "sub/b.txt"), "changed\n");
  expect(gitIn(root, "status", "--short")).toBe("");
  const changed = await treeOf(root);
  expect(changed).not.toBe(clean);
  gitIn(root, "update-index", flag.replace("--", "--no-"), "sub/b.txt");
  expect(await treeOf(root)).toBe(changed);
});

test("a file that a sparse checkout omits is in the base only if it exists", async () => {
  const root = repository({ "far/c.txt": "c\n", "far/d.txt": "d\n" });
  const whole = await treeOf(root);
  gitIn(root, "sparse-checkout", "set", "--cone", "sub");
  const sparse = await treeOf(root);
  execFileSync("mkdir", ["far"], { cwd: root });
  writeFileSync(path.join(root, "far/c.txt"), "other\n");
  const other = await treeOf(root);
  expect(new Set([whole, sparse, other]).size).toBe(3);
  rmSync(path.join(root, "far"), { recursive: true });
  expect(await treeOf(root)).toBe(sparse);
  gitIn(root, "sparse-checkout", "disable");
  expect(await treeOf(root)).toBe(whole);
});

const attributes: Readonly<Record<string, (root: string) => void>> = {
  "of its directory": (root) => writeFileSync(path.join(root, "sub/.gitattributes"), "*.bin filter=lfs\n"),
  "of the project's top": (root) => writeFileSync(path.join(root, ".gitattributes"), "*.bin filter=lfs\n"),
  "of the repository": (root) => writeFileSync(path.join(root, ".git/info/attributes"), "*.bin filter=lfs\n"),
  "of a macro": (root) => writeFileSync(path.join(root, ".gitattributes"), "[attr]large filter=lfs -text\n*.bin large\n"),
};

test.each(Object.keys(attributes))(
  "a clean file that a filter converts by the attributes %s counts with its bytes on disk",
  async (name) => {
    const root = repository({ pointer: "pointer\n", "sub/big.bin": "pointer\n" });
    execFileSync("mkdir", ["-p", ".git/info"], { cwd: root });
    attributes[name]?.(root);
    gitIn(root, "add", "-A");
    gitIn(root, "commit", "-q", "--allow-empty", "-m", "attributes");
    const trees: string[] = [];
    const inSub: string[] = [];
    for (const text of ["pointer\n", "content 1\n", "content 2\n", "content 1\n"]) {
      writeAsClean(root, "sub/big.bin", text);
      trees.push(await treeOf(root));
      inSub.push(await treeOf(path.join(root, "sub")));
    }
    for (const [pointer, one, two, again] of [trees, inSub]) expect([new Set([pointer, one, two]).size, again]).toEqual([3, one]);
  },
);

test("a clean file with `eol=crlf` counts with its bytes on disk", async () => {
  const root = repository({ ".gitattributes": "*.bat text eol=crlf\n", "x.bat": "echo\r\n" });
  const crlf = await treeOf(root);
  writeFileSync(path.join(root, "x.bat"), "echo\n");
  gitIn(root, "add", "x.bat");
  expect(gitIn(root, "status", "--short")).toBe("");
  expect(await treeOf(root)).not.toBe(crlf);
});
