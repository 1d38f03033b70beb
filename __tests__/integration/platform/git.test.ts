import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runGit, runGitEach } from "../../../src/platform/git.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "wave-git-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("returns git's output and status", async () => {
  const outside = await runGit(["rev-parse", "--is-inside-work-tree"], root);
  expect(outside).toMatchObject({ ok: true, value: { code: 128, stderr: expect.stringContaining("not a git repository") } });
  execFileSync("git", ["init", "-q", root]);
  const inside = await runGit(["rev-parse", "--is-inside-work-tree"], root);
  expect(inside.ok && inside.value.stdout.toString()).toBe("true\n");
});

test("a missing directory is a failure, not an exception", async () => {
  expect(await runGit(["status"], path.join(root, "gone"))).toMatchObject({
    ok: false,
    error: { reason: "spawn-failed", code: "ENOENT", command: "git status" },
  });
});

test("finds the repository by its directory, despite a hook's environment variables", async () => {
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

test("does not start hooks or a file system monitor of the repository", async () => {
  execFileSync("git", ["init", "-q", root]);
  const trap = path.join(root, "trapped");
  execFileSync("git", ["config", "core.fsmonitor", `touch ${trap}`], { cwd: root });
  writeFileSync(path.join(root, "a"), "a");
  await runGit(["ls-files", "-m", "-o"], root);
  const listed = await runGit(["ls-files", "-o", "-z"], root);
  expect(listed.ok && listed.value.stdout.toString()).toBe("a\0");
});

describe("several commands at once", () => {
  test("return the same bytes and status as each command alone", async () => {
    execFileSync("git", ["init", "-q", root]);
    const names = ["a", "it's", "two words", "line\nbreak", "$(touch no)"];
    for (const name of names) writeFileSync(path.join(root, name), name);
    const latin = Buffer.concat([Buffer.from(root), Buffer.from([0x2f, 0x62, 0xff])]);
    writeFileSync(latin, "b");
    const questions = [
      ["rev-parse", "--is-inside-work-tree", "HEAD"],
      ["ls-files", "--others", "-z"],
      ["ls-files", "--stage", "-z"],
      ["ls-files", "--others", "--", "it's", "$(touch no)"],
    ];
    const each = await runGitEach(questions, root);
    const alone = await Promise.all(questions.map((words) => runGit(words, root)));
    const told = (answers: typeof each) => (answers.ok ? answers.value.map(({ code, stdout }) => ({ code, stdout })) : answers.error);
    expect(told(each)).toEqual(alone.map((answer) => answer.ok && { code: answer.value.code, stdout: answer.value.stdout }));
    expect(each.ok && each.value.map(({ code }) => code)).toEqual([128, 0, 0, 0]);
    expect(each.ok && each.value[1]?.stdout.includes(Buffer.from([0x62, 0xff, 0]))).toBe(true);
  });

  test("in a missing directory are a failure, not an exception", async () => {
    expect(await runGitEach([["status"]], path.join(root, "gone"))).toMatchObject({ ok: false, error: { reason: "spawn-failed" } });
  });

  test("end at their time limit, even if git hangs", async () => {
    execFileSync("git", ["init", "-q", root]);
    const bin = path.join(root, "bin");
    mkdirSync(bin);
    const stuck = `#!/bin/sh\nfor word; do :; done\ntest "$word" = first && exec echo one\necho $$ > ${root}/pid.new && mv ${root}/pid.new ${root}/pid\nexec sleep 600\n`;
    writeFileSync(path.join(bin, "git"), stuck, { mode: 0o755 });
    vi.stubEnv("PATH", `${bin}:${process.env["PATH"]}`);
    try {
      expect(await runGitEach([["first"], ["second"], ["third"]], root, 2000)).toEqual({
        ok: true,
        value: [{ code: 0, stdout: Buffer.from("one\n"), stderr: "" }],
      });
    } finally {
      vi.unstubAllEnvs();
      process.kill(Number(readFileSync(path.join(root, "pid"), "utf8")), "SIGKILL");
    }
  });
});
