/** What a rollback takes back counts for no later run, and the command reports what it did. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { RunRecord } from "../../../src/core/state.ts";
import { pause, pauseReached } from "../../rig/paused-step.ts";
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
      { status: "pending", attempts: [{ status: "passed", rolledBack: true }] },
      { status: "pending", attempts: [{ status: "passed", rolledBack: true }] },
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

/** One step `a`, which writes `f.txt` in a workspace of its own, and `s`, which works in the project. */
const mixed = (steps: string) => `
personas:
  own: { command: 'echo own > f.txt' }
  place: { command: 'echo place > s.txt' }
  broken: { command: 'echo place > s.txt; exit 3' }
pipeline:
  name: demo
  steps:
${steps}
`;
const own = "    - { id: a, persona: own }\n";
const inPlace = "    - { id: s, persona: place, workspace: shared }\n";

describe("`wave rollback` of a whole run with steps that ran in the project itself", () => {
  test("names them beside the files that it puts back", async () => {
    const wave = project({ "wave.yaml": mixed(own + inPlace) });
    await good(wave, "run");
    const { stderr } = await good(wave, "rollback", "latest");
    expect(stderr).toContain("not reverted, because these steps changed the project itself: s\n");
    expect([has(wave, "f.txt"), has(wave, "s.txt")]).toEqual([false, true]);
  });

  test("names them in JSON", async () => {
    const wave = project({ "wave.yaml": mixed(own + inPlace) });
    await good(wave, "run");
    const { stdout } = await good(wave, "rollback", "latest", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ rolledBack: true, inPlace: ["s"] });
  });

  test.each([
    ["passed", inPlace, 0],
    ["failed", inPlace.replace("persona: place", "persona: broken"), 1],
  ])("refuses where only such a step ran, which %s, and names it", async (_, steps, code) => {
    const wave = project({ "wave.yaml": mixed(steps) });
    expect((await wave.wave("run")).code).toBe(code);
    const { code: refused, stderr } = await wave.wave("rollback", "latest");
    expect(refused).toBe(2);
    expect(stderr).toContain("`s` ran in the project itself (`workspace: shared`), so what changed there cannot be undone");
    expect(stderr).not.toContain("it changed nothing");
  });
});

describe("`wave rollback` of a run that is being executed", () => {
  test.each([[[]], [["--dry-run"]], [["--to", "a"]]])("reports it as active with %j", async (options) => {
    const wave = project({ "wave.yaml": mixed(own).replace("echo own > f.txt", pause()) });
    const going = wave.start(["run"]);
    await pauseReached(wave.root, going);
    const { code, stderr } = await wave.wave("rollback", "latest", ...options);
    expect({ code, said: stderr.includes(`process ${going.child.pid} `) }).toEqual({ code: 4, said: true });
    expect(stderr).not.toContain("it changed nothing");
  });
});

describe("`wave rollback` of a run after which another one wrote the same content", () => {
  async function twice(): Promise<{ wave: Project; first: string; second: string }> {
    const wave = project({ "wave.yaml": mixed(own) });
    await good(wave, "run");
    rmSync(path.join(wave.root, "f.txt"));
    await good(wave, "run");
    const [first = "", second = ""] = runs(wave);
    return { wave, first, second };
  }

  test("refuses, names the later run and the file, and changes nothing", async () => {
    const { wave, first, second } = await twice();
    const { code, stderr } = await wave.wave("rollback", first);
    expect(code).toBe(1);
    expect(stderr).toContain("f.txt");
    expect(stderr).toContain(`run ${second} wrote the same content later`);
    expect(has(wave, "f.txt")).toBe(true);
    expect(await record(wave, first)).toMatchObject({ applied: true, steps: [{ status: "passed" }] });
  });

  test("shows in a dry run that it would refuse", async () => {
    const { wave, first, second } = await twice();
    const { stderr } = await good(wave, "rollback", first, "--dry-run");
    expect(stderr).toContain(`run ${second} wrote the same content later, so \`--force\` is needed: f.txt`);
  });

  test("takes the file out with --force, and says so", async () => {
    const { wave, first } = await twice();
    expect((await good(wave, "rollback", first, "--force")).stderr).toContain("overwriting files that changed since the run: f.txt\n");
    expect(has(wave, "f.txt")).toBe(false);
  });

  test("reports files that are already as before once the later run was rolled back", async () => {
    const { wave, first, second } = await twice();
    await good(wave, "rollback", second);
    const { stderr } = await good(wave, "rollback", first);
    expect(stderr).toContain("already as before, so not written: f.txt\n");
    expect(stderr).toContain("reverted (the project does not change)");
    expect(await record(wave, first)).toMatchObject({ applied: false });
  });

  test("reports the same in JSON", async () => {
    const { wave, first, second } = await twice();
    await good(wave, "rollback", second);
    expect(JSON.parse((await good(wave, "rollback", first, "--json")).stdout)).toMatchObject({ alreadyAsBefore: ["f.txt"], laterRuns: [] });
  });
});

describe("the hint of a contract that cannot be evaluated", () => {
  test("names the command that takes the corrected contract", async () => {
    const contract = (program: string) => `    - id: a
      persona: own
      handover: { contract: { name: checks, type: test_suite, command: [${program}] } }
`;
    const wave = project({ "wave.yaml": mixed(contract("no-such-program-here")) });
    const failed = await wave.wave("run");
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("fix the contract, then run `wave resume --update`");
    wave.write({ "wave.yaml": mixed(contract('"true"')) });
    await good(wave, "resume", "--update");
    expect(has(wave, "f.txt")).toBe(true);
  });
});
