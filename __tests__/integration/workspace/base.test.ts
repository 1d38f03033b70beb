/** Tests bases of real trees in real repositories. A base only serves to compare trees, so the tests check equality. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BaseRef } from "../../../src/core/event.ts";
import { takeBase } from "../../../src/workspace/base.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "wave-base-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const everything = (name: string) => !name.split("/").includes(".git");
const views = new Map([
  ["all", everything],
  ["src", (name: string) => name.startsWith("src/")],
]);

async function base(of = root, state = path.join(of, ".wave/state"), through = views): Promise<BaseRef> {
  const taken = await takeBase(of, state, through);
  if (!taken.ok) throw new Error(JSON.stringify(taken.error));
  return taken.value;
}

const tree = async (of = root) => (await base(of)).tree;

function write(name: string, content = name, of = root): void {
  mkdirSync(path.dirname(path.join(of, name)), { recursive: true });
  writeFileSync(path.join(of, name), content);
}

function git(...args: string[]): string {
  return gitIn(root, ...args);
}

function gitIn(directory: string, ...args: string[]): string {
  const identity = [
    "-c",
    "user.name=t",
    "-c",
    "user.email=t@example.com",
    "-c",
    "protocol.file.allow=always",
    "-c",
    "commit.gpgsign=false",
  ];
  return execFileSync("git", [...identity, ...args], { cwd: directory, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

function commitAll(of = root): void {
  gitIn(of, "add", "-A");
  gitIn(of, "commit", "-q", "-m", "all");
}

/** Takes the tree before and after each change. Returns the names of the changes after which it differed. */
async function differing(changes: Readonly<Record<string, () => void>>): Promise<string[]> {
  const found: string[] = [];
  let before = await tree();
  for (const [name, change] of Object.entries(changes)) {
    change();
    const after = await tree();
    if (after !== before) found.push(name);
    before = after;
  }
  return found;
}

describe("in a repository", () => {
  beforeEach(() => {
    git("init", "-q");
    write("src/a.txt");
    write("src/b.txt");
    write("readme");
  });

  test("a commit changes only `head`", async () => {
    symlinkSync("src/a.txt", path.join(root, "link"));
    write("run.sh", "#!/bin/sh\n");
    chmodSync(path.join(root, "run.sh"), 0o755);
    write('naïve "名"\n.txt');
    write("empty", "");
    write("large.bin", "x".repeat(3 << 20));
    const untracked = await base();
    git("add", "-A");
    const staged = await base();
    commitAll();
    const committed = await base();
    expect(untracked).toMatchObject({ kind: "git" });
    expect(untracked).not.toHaveProperty("head");
    expect(staged).toEqual(untracked);
    expect(committed).toEqual({ ...untracked, head: git("rev-parse", "HEAD") });
    git("commit", "-q", "--allow-empty", "-m", "more");
    expect((await base()).tree).toBe(committed.tree);
  });

  test("the view of everything is the tree, and other views differ only with their files", async () => {
    commitAll();
    const before = await base();
    expect(before.views.all).toBe(before.tree);
    write("readme", "changed");
    const after = await base();
    expect([after.tree === before.tree, after.views.src === before.views.src]).toEqual([false, true]);
    write("src/a.txt", "changed");
    expect((await base()).views.src).not.toBe(before.views.src);
  });

  test("HEAD is part of only the views that include .git", async () => {
    commitAll();
    const through = new Map([
      ["all", everything],
      ["git", () => true],
    ]);
    const before = await base(root, ".wave/state", through);
    git("commit", "-q", "--allow-empty", "-m", "more");
    const after = await base(root, ".wave/state", through);
    expect([before.views.all === after.views.all, before.views.git === after.views.git]).toEqual([true, false]);
  });

  test("every change of a file that counts is visible, committed or not", async () => {
    commitAll();
    const at = (name: string) => path.join(root, name);
    const changes = {
      modified: () => write("src/a.txt", "other"),
      "modified, same size and time": () => {
        write("src/a.txt", "rehto");
        utimesSync(at("src/a.txt"), 1, 1);
      },
      added: () => write("src/new.txt"),
      "added by intent only": () => git("add", "-N", "src/new.txt"),
      deleted: () => unlinkSync(at("src/b.txt")),
      "deletion staged": () => git("rm", "-q", "--cached", "src/b.txt"),
      renamed: () => renameSync(at("src/new.txt"), at("src/newer.txt")),
      executable: () => chmodSync(at("readme"), 0o755),
      symlinked: () => symlinkSync("readme", at("link")),
      retargeted: () => {
        unlinkSync(at("link"));
        symlinkSync("elsewhere", at("link"));
      },
      touched: () => utimesSync(at("src/a.txt"), 5, 5),
      "a file that became a directory": () => {
        unlinkSync(at("readme"));
        write("readme/x");
      },
      "all of it committed": () => commitAll(),
      "checked out again": () => git("checkout", "-q", "."),
    };
    const silent = ["added by intent only", "deletion staged", "touched", "all of it committed", "checked out again"];
    expect(await differing(changes)).toEqual(Object.keys(changes).filter((name) => !silent.includes(name)));
  });

  test("reverting changes restores the same base", async () => {
    commitAll();
    const before = await base();
    write("src/a.txt", "other");
    write("more");
    git("stash", "-q", "-u");
    expect(await base()).toEqual(before);
  });

  test("ignored files, empty directories, state, special files and git's own settings do not count", async () => {
    write(".gitignore", "ignored\nnode_modules\n");
    commitAll();
    const changes = {
      ignored: () => write("ignored/x"),
      dependencies: () => write("node_modules/x/index.js"),
      "an empty directory": () => mkdirSync(path.join(root, "empty")),
      state: () => write(".wave/state/journals/x.jsonl"),
      "a pipe": () => execFileSync("mkfifo", [path.join(root, "pipe")]),
      hooks: () => write(".git/hooks/x"),
      "beside state": () => write(".wave/states"),
    };
    expect(await differing(changes)).toEqual(["beside state"]);
  });

  test("files in conflict count with their bytes on disk", async () => {
    commitAll();
    git("checkout", "-q", "-b", "side");
    write("readme", "side");
    commitAll();
    git("checkout", "-q", "-");
    write("readme", "main");
    commitAll();
    expect(() => git("merge", "-q", "side")).toThrow();
    const conflicted = await tree();
    git("add", "readme");
    expect(await tree()).toBe(conflicted);
    write("readme", "solved");
    expect(await tree()).not.toBe(conflicted);
  });

  test("a subdirectory of a repository is a separate project", async () => {
    commitAll();
    const part = path.join(root, "src");
    const before = await tree(part);
    write("readme", "changed");
    expect(await tree(part)).toBe(before);
    write("src/c.txt");
    expect(await tree(part)).not.toBe(before);
  });

  test("a directory that the repository ignores is read as files", async () => {
    write(".gitignore", "scratch\n");
    write("scratch/project/a");
    commitAll();
    const project = path.join(root, "scratch/project");
    const before = await base(project);
    write("scratch/project/a", "changed");
    expect(before.kind).toBe("files");
    expect((await base(project)).tree).not.toBe(before.tree);
  });

  test("a linked work tree, a submodule and a clone inside the project count", async () => {
    commitAll();
    const linked = path.join(root, "../", `${path.basename(root)}-linked`);
    const main = await tree();
    try {
      git("worktree", "add", "-q", linked);
      expect(await base(linked)).toMatchObject({ kind: "git", tree: main });
    } finally {
      rmSync(linked, { recursive: true, force: true });
    }
    const origin = mkdtempSync(path.join(tmpdir(), "wave-base-"));
    try {
      gitIn(origin, "init", "-q");
      write("inner.txt", "inner", origin);
      commitAll(origin);
      git("submodule", "add", "-q", origin, "sub");
      commitAll();
      git("clone", "-q", origin, "clone");
      expect(await base(path.join(root, "sub"))).toMatchObject({ kind: "git", head: gitIn(origin, "rev-parse", "HEAD") });
    } finally {
      rmSync(origin, { recursive: true, force: true });
    }
    const changes = {
      "in the submodule": () => write("sub/inner.txt", "changed"),
      "committed in it": () => commitAll(path.join(root, "sub")),
      "its commit recorded": () => commitAll(),
      "in the clone": () => write("clone/new.txt"),
    };
    expect(await differing(changes)).toEqual(["in the submodule", "in the clone"]);
  });

  test("nothing is written: neither the index nor a state directory", async () => {
    commitAll();
    utimesSync(path.join(root, "readme"), 1, 1);
    const before = readFileSync(path.join(root, ".git/index"));
    await base();
    expect(readFileSync(path.join(root, ".git/index")).equals(before)).toBe(true);
    expect(existsSync(path.join(root, ".wave"))).toBe(false);
  });

  test("a repository with SHA-256 objects is supported", async () => {
    rmSync(path.join(root, ".git"), { recursive: true });
    git("init", "-q", "--object-format=sha256");
    const before = await tree();
    commitAll();
    expect(await tree()).toBe(before);
  });
});

describe("without a repository", () => {
  const index = () => path.join(root, ".wave/state/base-index.json");

  test("every change of a file that counts is visible", async () => {
    write("src/a.txt");
    symlinkSync("src", path.join(root, "link"));
    const changes = {
      modified: () => write("src/a.txt", "other"),
      added: () => write("b"),
      executable: () => chmodSync(path.join(root, "b"), 0o755),
      deleted: () => unlinkSync(path.join(root, "b")),
      dependencies: () => write("node_modules/x/index.js"),
      state: () => write(".wave/state/x"),
      "an empty directory": () => mkdirSync(path.join(root, "empty")),
    };
    expect(await base()).toMatchObject({ kind: "files" });
    expect(await differing(changes)).toEqual(["modified", "added", "executable", "deleted"]);
  });

  test("the tree equals git's for the same files", async () => {
    write("src/a.txt");
    write(".hidden");
    const without = await base();
    git("init", "-q");
    commitAll();
    expect((await base()).views).toEqual(without.views);
  });

  test("hashes of stable files are cached, and used only while their stat data is the same", async () => {
    mkdirSync(path.dirname(index()), { recursive: true });
    write("a");
    await tree();
    expect(existsSync(index())).toBe(false);
    // Planted: the cache entry of an old run for a file with the same stat data.
    const { mtimeNs, ctimeNs, size, ino } = (await import("node:fs")).lstatSync(path.join(root, "a"), { bigint: true });
    const looks = [mtimeNs, ctimeNs, size, ino].map(String);
    const plant = (...entry: string[]) => writeFileSync(index(), JSON.stringify({ version: 1, algorithm: "sha1", files: { a: entry } }));
    const honest = await tree();
    plant(...looks, "0".repeat(40));
    expect(await tree()).not.toBe(honest);
    for (const at of looks.keys()) {
      plant(...looks.with(at, "7"), "0".repeat(40));
      expect(await tree()).toBe(honest);
    }
  });

  test("a damaged cache counts as empty", async () => {
    write("a");
    const honest = await tree();
    mkdirSync(path.dirname(index()), { recursive: true });
    for (const damage of [
      "",
      "{",
      "null",
      "[]",
      '{"version":1,"algorithm":"sha1","files":{"a":["1"]}}',
      '{"version":1,"algorithm":"sha1","files":null}',
    ]) {
      writeFileSync(index(), damage);
      expect(await tree()).toBe(honest);
    }
  });

  test("a state directory elsewhere excludes nothing", async () => {
    write("a");
    const elsewhere = await base(root, path.join(root, "../state-elsewhere"));
    expect(elsewhere.tree).toBe(await tree());
  });
});

test("fails for a root that is missing or a file", async () => {
  write("file");
  expect(await takeBase(path.join(root, "gone"), ".wave/state", views)).toMatchObject({
    ok: false,
    error: { reason: "file-unreadable", code: "ENOENT" },
  });
  expect(await takeBase(path.join(root, "file"), ".wave/state", views)).toMatchObject({
    ok: false,
    error: { reason: "file-unreadable", code: "ENOTDIR" },
  });
});
