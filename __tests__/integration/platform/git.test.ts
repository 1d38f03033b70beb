import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runGit } from "../../../src/platform/git.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "wave-git-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("gives what git says, with its status", async () => {
  const outside = await runGit(["rev-parse", "--is-inside-work-tree"], root);
  expect(outside).toMatchObject({ ok: true, value: { code: 128, stderr: expect.stringContaining("not a git repository") } });
  execFileSync("git", ["init", "-q", root]);
  const inside = await runGit(["rev-parse", "--is-inside-work-tree"], root);
  expect(inside.ok && inside.value.stdout.toString()).toBe("true\n");
});

test("a directory that is not there is a failure, not an exception", async () => {
  expect(await runGit(["status"], path.join(root, "gone"))).toMatchObject({
    ok: false,
    error: { reason: "spawn-failed", code: "ENOENT", command: "git status" },
  });
});

test("finds the repository by its directory, whatever a hook left in the environment", async () => {
  execFileSync("git", ["init", "-q", root]);
  writeFileSync(path.join(root, "a"), "a");
  process.env.GIT_DIR = "/nowhere";
  process.env.GIT_INDEX_FILE = "/nowhere/index";
  try {
    const listed = await runGit(["ls-files", "-o", "-z"], root);
    expect(listed.ok && listed.value.stdout.toString()).toBe("a\0");
  } finally {
    delete process.env.GIT_DIR;
    delete process.env.GIT_INDEX_FILE;
  }
});

test("starts neither hooks nor a file system monitor of the repository", async () => {
  execFileSync("git", ["init", "-q", root]);
  const trap = path.join(root, "trapped");
  execFileSync("git", ["config", "core.fsmonitor", `touch ${trap}`], { cwd: root });
  writeFileSync(path.join(root, "a"), "a");
  await runGit(["ls-files", "-m", "-o"], root);
  const listed = await runGit(["ls-files", "-o", "-z"], root);
  expect(listed.ok && listed.value.stdout.toString()).toBe("a\0");
});
