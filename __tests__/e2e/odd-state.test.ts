/** State whose files were replaced by other things: no command waits for a pipe, and no end is a bug. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type Project, project } from "../rig/project.ts";

const manifest = "pipeline: { name: p, steps: [{ id: a, persona: s, task: x }] }\npersonas: { s: { adapter: command, command: 'true' } }\n";
const state = (wave: Project, ...names: string[]) => path.join(wave.root, ".wave/state", ...names);

async function withRun(): Promise<Project> {
  const wave = project({ "wave.yaml": manifest });
  expect((await wave.wave("run")).code).toBe(0);
  return wave;
}

function replaceByPipe(file: string): void {
  rmSync(file, { force: true });
  execFileSync("mkfifo", [file]);
}

describe("a pipe", () => {
  test.each([["status"], ["status", "latest"], ["run"], ["resume"], ["plan"], ["metrics"]])(
    "in place of the database is replaced by a new database on `wave %s`",
    async (...words) => {
      const wave = await withRun();
      replaceByPipe(state(wave, "wave.db"));
      expect((await wave.wave(...words)).code).toBe(0);
    },
  );

  test("in place of the database is a finding of `wave state verify`", async () => {
    const wave = await withRun();
    replaceByPipe(state(wave, "wave.db"));
    expect(await wave.wave("state", "verify")).toMatchObject({ code: 4, stdout: expect.stringContaining("it is not a regular file") });
  });

  test("in place of a journal is named", async () => {
    const wave = await withRun();
    const [run = ""] = readdirSync(state(wave, "journals"));
    const [journal = ""] = readdirSync(state(wave, "journals", run));
    replaceByPipe(state(wave, "journals", run, journal));
    const shown = await wave.wave("status", run);
    expect(shown.code).toBe(4);
    expect(shown.stderr).toContain(journal);
  });
});

test("a database that is a directory is set aside, and a new one is made", async () => {
  const wave = await withRun();
  rmSync(state(wave, "wave.db"), { force: true });
  mkdirSync(state(wave, "wave.db"));
  expect((await wave.wave("status")).code).toBe(0);
  expect(existsSync(state(wave, "wave.db.damaged"))).toBe(true);
});

test("a file in place of the state directory is a failure of this environment, not a bug", async () => {
  const wave = project({ "wave.yaml": manifest });
  mkdirSync(path.join(wave.root, ".wave"));
  writeFileSync(state(wave), "x");
  const run = await wave.wave("run");
  expect([run.code, run.stderr.includes("bug")]).toEqual([4, false]);
});
