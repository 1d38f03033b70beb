/** What a rollback takes back counts for no later run, and the command reports what it did. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { RunRecord } from "../../../src/model/state.ts";
import { type Project, project } from "../../rig/project.ts";

const chain = `
defaults: { reuse: true }
personas:
  first: { command: 'echo first > f.txt' }
  second: { command: 'cat f.txt > g.txt' }
pipeline:
  name: demo
  steps:
    - { id: a, persona: first }
    - { id: b, persona: second, dependencies: [a] }
`;

const has = (wave: Project, file: string) => existsSync(path.join(wave.root, file));

async function good(wave: Project, ...words: string[]): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await wave.wave(...words);
  expect({ code, words, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, words, stderr: "" });
  return { stdout, stderr };
}

/** The ids of the runs, the earliest first. */
const runs = (wave: Project) => [
  ...new Set(
    wave
      .events()
      .filter(({ type }) => type === "run-started")
      .sort((a, b) => a.ts.localeCompare(b.ts))
      .map(({ run }) => run),
  ),
];
const count = (wave: Project, type: string, run: string) =>
  wave.events().filter((event) => event.type === type && event.run === run).length;

async function record(wave: Project, run: string): Promise<RunRecord> {
  return (JSON.parse((await good(wave, "status", run, "--json")).stdout) as { run: RunRecord }).run;
}

describe("work that a rollback of a whole run undid", () => {
  test.each([["with the database"], ["after the database is rebuilt"]])("is not reused by the next run %s", async (how) => {
    const wave = project({ "wave.yaml": chain });
    await good(wave, "run");
    await good(wave, "rollback", "latest");
    if (how.includes("rebuilt")) rmSync(path.join(wave.root, ".wave/state/wave.db"), { force: true });
    const planned = JSON.parse((await good(wave, "plan", "--json")).stdout) as { steps: { work: { kind: string } }[] };
    expect(planned.steps[0]?.work.kind).toBe("new");
    await good(wave, "run");
    const second = runs(wave)[1] ?? "";
    expect([count(wave, "step-reused", second), count(wave, "attempt-started", second)]).toEqual([0, 2]);
    expect([has(wave, "f.txt"), has(wave, "g.txt")]).toEqual([true, true]);
    await good(wave, "state", "verify");
  });

  test("is not offered from the earlier run that it was reused from", async () => {
    const wave = project({ "wave.yaml": chain });
    await good(wave, "run");
    await good(wave, "run");
    const [, second = ""] = runs(wave);
    expect(count(wave, "step-reused", second)).toBe(2);
    await good(wave, "rollback", second);
    await good(wave, "run");
    const third = runs(wave)[2] ?? "";
    expect([count(wave, "step-reused", third), count(wave, "attempt-started", third)]).toEqual([0, 2]);
  });

  test("stays in the status as undone attempts, also after the database is rebuilt", async () => {
    const wave = project({ "wave.yaml": chain });
    await good(wave, "run");
    await good(wave, "rollback", "latest");
    const [run = ""] = runs(wave);
    const before = await record(wave, run);
    expect(before.steps).toMatchObject([
      { status: "pending", attempts: [{ status: "passed", undone: true }] },
      { status: "pending", attempts: [{ status: "passed", undone: true }] },
    ]);
    rmSync(path.join(wave.root, ".wave/state/wave.db"), { force: true });
    expect(await record(wave, run)).toEqual(before);
  });

  test.each([[[]], [["--from", "b"]]])("is not taken by `wave resume` with %j either", async (options) => {
    const wave = project({ "wave.yaml": chain });
    await good(wave, "run");
    await good(wave, "rollback", "latest");
    await good(wave, "resume", ...options);
    const [run = ""] = runs(wave);
    expect(count(wave, "attempt-started", run)).toBe(4);
    expect(readFileSync(path.join(wave.root, "g.txt"), "utf8")).toBe("first\n");
    expect(await record(wave, run)).toMatchObject({ status: "passed", applied: true, steps: [{ status: "passed" }, { status: "passed" }] });
  });
});
