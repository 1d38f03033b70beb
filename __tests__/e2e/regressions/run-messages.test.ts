/** What commands print about runs and plans names the step, the contract or the run that it is about. */
import { describe, expect, test } from "vitest";
import { type Project, project } from "../../rig/project.ts";

const personas = 'personas: { s: { adapter: command, command: [sh, -c, "echo 1 > $WAVE_OUTPUT_DIR/out"] } }\n';

function pipeline(steps: string, more = ""): Project {
  return project({ "wave.yaml": `pipeline: { name: p, steps: [${steps}] }\n${personas}${more}`, "s.json": '{ "type": "object" }\n' });
}

describe("a run that is not found", () => {
  test("is reported with the newest runs, and without the advice to write more of an id", async () => {
    const wave = pipeline("{ id: a, persona: s, task: x, artifacts: [out] }");
    for (let round = 0; round < 2; round++) expect((await wave.wave("run")).code).toBe(0);
    const [first, second] = wave.events().filter(({ type }) => type === "run-started");
    const status = await wave.wave("status", "nope");
    expect([status.code, status.stderr]).toEqual([2, expect.stringContaining("no run matches `nope`\n  newest runs: ")]);
    for (const event of [first, second]) expect(status.stderr).toContain(event?.run);
    expect(status.stderr).toContain("hint: run `wave status` to list the runs");
    expect(status.stderr).not.toContain("type more characters");
  });
});

describe("`--reset-circuit`", () => {
  test("names the contract and the steps of each breaker that it resets", async () => {
    const contract = "{ name: shape, type: json_schema, schema: s.json, circuit_breaker: { failure_threshold: 0.5 } }";
    const step = (id: string) => `{ id: ${id}, persona: s, task: x, artifacts: [out], handover: { contract: ${contract} } }`;
    const wave = pipeline(`${step("a")}, ${step("b")}`);
    const reset = await wave.wave("run", "--reset-circuit");
    expect(reset.stderr).toContain("circuit breaker reset: contract `shape` of steps a, b counts from zero\n");
  });
});

describe("the summary of a run", () => {
  test("lists an artifact with its step where several steps have one of that name", async () => {
    const step = (id: string, persona: string, name: string) => `{ id: ${id}, persona: ${persona}, task: x, artifacts: [${name}] }`;
    const other = 't: { adapter: command, command: [sh, -c, "echo 1 > $WAVE_OUTPUT_DIR/own"] }';
    const steps = [step("a", "s", "out"), step("b", "s", "out"), step("c", "t", "own")].join(", ");
    const wave = project({ "wave.yaml": `pipeline: { name: p, steps: [${steps}] }\n${personas.replace(" } }", ` }, ${other} }`)}` });
    const run = await wave.wave("run");
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr.match(/(?<=^ {2})\S+(?= +2B)/gm)).toEqual(["a/out", "b/out", "own"]);
  });
});

describe("`wave plan`", () => {
  test("shows `workspace: { provider: copy }` and the protected files of a contract", async () => {
    const contract = '{ type: test_suite, command: [sh, check.sh], protect: [check.sh, "tests/**"] }';
    const wave = pipeline(`{ id: a, persona: s, task: x, workspace: { provider: copy }, handover: { contract: ${contract} } }`);
    const plan = await wave.wave("plan");
    expect(plan.stdout).toMatch(/^ +workspace +copy: a copy of the project for each attempt$/m);
    expect(plan.stdout).toContain("passes within 10m, with protected files restored: check.sh, tests/**; on failure halt");
    const { steps } = JSON.parse((await wave.wave("plan", "--json")).stdout) as { steps: { workspace: string; contracts: object[] }[] };
    expect(steps).toMatchObject([{ workspace: "copy", contracts: [{ protect: ["check.sh", "tests/**"] }] }]);
  });
});

describe("a declared secret that is not set", () => {
  const steps = "{ id: a, persona: s, task: x, artifacts: [out] }, { id: b, persona: s, task: x, artifacts: [out], secrets: [OTHER_KEY] }";

  test("is named in a note when a run starts", async () => {
    const run = await pipeline(steps, "secrets: [SET_KEY, UNSET_KEY]\n").start(["run"], { SET_KEY: "a value" }).finished;
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr.match(/^note: .*$/gm)).toEqual([
      "note: secret UNSET_KEY is not set in the environment (declared for steps a, b)",
      "note: secret OTHER_KEY is not set in the environment (declared for step b)",
    ]);
    expect(run.stderr.indexOf("note: ")).toBeLessThan(run.stderr.indexOf("a started"));
  });

  test("is named as empty if its variable is empty", async () => {
    const run = await pipeline(steps).start(["run"], { OTHER_KEY: "" }).finished;
    expect(run.stderr).toContain("note: secret OTHER_KEY is empty in the environment (declared for step b)\n");
  });

  test("is not named if another job executes the steps that declare it", async () => {
    const run = await pipeline(steps).wave("run", "--steps", "a");
    expect([run.code, run.stderr.includes("note: ")], run.stderr).toEqual([0, false]);
  });

  test("is not named if all secrets are set, or with --json", async () => {
    const wave = pipeline(steps);
    const set = await wave.start(["run"], { OTHER_KEY: "a value" }).finished;
    const json = await wave.wave("run", "--json");
    expect([set, json].map(({ code, stderr }) => [code, stderr.includes("note: ")])).toEqual([
      [0, false],
      [0, false],
    ]);
  });
});
