import { describe, expect, test } from "vitest";
import { noSandbox } from "../../../src/core/enforcement.ts";
import type { BaseRef } from "../../../src/core/event.ts";
import type { Step } from "../../../src/core/pipeline.ts";
import type { Plan } from "../../../src/core/plan.ts";
import type { CachedResult } from "../../../src/core/state.ts";
import { type PlanSource, planPipeline } from "../../../src/planner/plan-pipeline.ts";
import { artifact, digest, layer, passedWork, pipeline, schemaContract, step } from "../../rig/plan-fixtures.ts";

const tree = digest("tree");
const base: BaseRef = { kind: "git", tree, views: { all: tree } };

function plan(steps: readonly Step[], members: Partial<PlanSource> = {}): Plan {
  const source = {
    pipeline: pipeline(steps),
    base,
    tree,
    passed: [],
    contractFiles: new Map(),
    protectedFiles: new Map(),
    platform: "linux-x64",
    adapterVersions: new Map(),
    sandbox: noSandbox,
  };
  return planPipeline({ ...source, ...members });
}

/** The cached results that a plan's steps with known fingerprints would produce. */
function passedOf(made: Plan, artifacts: Readonly<Record<string, CachedResult["artifacts"]>> = {}): CachedResult[] {
  return made.steps.flatMap(({ step: { id }, work }) =>
    work.kind === "unknown" ? [] : [passedWork(id, work.fingerprint, { artifacts: artifacts[id] ?? [] })],
  );
}

const kinds = (made: Plan) =>
  Object.fromEntries(
    made.steps.map(({ step: { id }, work }) => [id, work.kind === "unknown" ? `after ${work.after.join(" ")}` : work.kind]),
  );
const reads = (name: string, from: string) => [{ name, artifact: name, from, optional: false }];

describe("the graph", () => {
  const steps = [
    step("join", { dependencies: ["left", "right"] }),
    step("right", { dependencies: ["start"] }),
    step("alone"),
    step("left", { dependencies: ["middle"] }),
    step("start"),
    step("middle", { dependencies: ["start"] }),
  ];

  test("lists dependencies first, and otherwise keeps the manifest's order", () => {
    expect(plan(steps).steps.map(({ step: { id } }) => id)).toEqual(["alone", "start", "right", "middle", "left", "join"]);
  });

  test("contains direct dependents, the longest chain from each step, and the critical path", () => {
    const made = plan(steps);
    expect(Object.fromEntries(made.steps.map(({ step: { id }, dependents, weight }) => [id, [weight, ...dependents]]))).toEqual({
      alone: [1],
      start: [4, "right", "middle"],
      right: [2, "join"],
      middle: [3, "left"],
      left: [2, "join"],
      join: [1],
    });
    expect(made.criticalPath).toEqual(["start", "middle", "left", "join"]);
  });

  test("contains the enforcement of each step's rules", () => {
    const made = plan([step("a", { permissions: { layers: [layer("step", ["file_read:**"], ["network_access:*"])] } })]);
    expect(made.steps[0]?.enforcement).toEqual([{ rule: "network_access:*", kind: "deny", level: "none" }]);
  });
});

describe("cached work", () => {
  const steps = [
    step("a", { artifacts: [{ name: "x", optional: false, implied: false }] }),
    step("b", { dependencies: ["a"], inputs: reads("x", "a") }),
    step("c", { dependencies: ["b"] }),
  ];

  test("is unknown for steps after one that must run", () => {
    expect(kinds(plan(steps))).toEqual({ a: "new", b: "after a", c: "after b" });
  });

  test("becomes known along the chain as dependencies get cached results", () => {
    const first = passedOf(plan(steps), { a: [artifact("x")] });
    const second = plan(steps, { passed: first });
    expect(kinds(second)).toEqual({ a: "equal", b: "new", c: "after b" });
    const third = plan(steps, { passed: passedOf(second, { a: [artifact("x")] }) });
    const all = plan(steps, { passed: passedOf(third, { a: [artifact("x")] }) });
    expect(kinds(all)).toEqual({ a: "equal", b: "equal", c: "equal" });
  });

  test("depends on the content of inputs", () => {
    const passed = passedOf(plan(steps, { passed: passedOf(plan(steps), { a: [artifact("x")] }) }), { a: [artifact("x")] });
    const other = passed.map((work) => (work.step === "a" ? { ...work, artifacts: [artifact("x", "other")] } : work));
    const made = plan(steps, { passed: other });
    expect(made.steps[1]?.work).toMatchObject({ kind: "new", changed: ["input:x"] });
  });

  test("with changed contracts does not make dependents unknown", () => {
    const passed = passedOf(plan(steps, { passed: passedOf(plan(steps), { a: [artifact("x")] }) }), { a: [artifact("x")] });
    const gated = steps.map((of) => (of.id === "a" ? { ...of, contracts: [schemaContract({ artifact: "x" })] } : of));
    expect(kinds(plan(gated, { passed }))).toEqual({ a: "recheck", b: "equal", c: "new" });
  });

  test("depends only on the view of the base that the step may read", () => {
    const limited = [step("a", { permissions: { layers: [layer("step", ["file_read:src/**"])] } }), step("b")];
    const key = '[{"allow":["src/**"],"deny":[]}]';
    const before = { ...base, views: { all: tree, [key]: digest("src") } };
    const passed = passedOf(plan(limited, { base: before }));
    const after = { ...base, tree: digest("t2"), views: { all: digest("t2"), [key]: digest("src") } };
    expect(kinds(plan(limited, { base: after, tree: after.tree, passed }))).toEqual({ a: "equal", b: "new" });
  });

  test("of a run that changed the project in place is equal directly after it", () => {
    const moved = digest("moved");
    const passed = passedOf(plan([step("a")])).map((work) => ({ ...work, treeAfter: moved }));
    expect(kinds(plan([step("a")], { passed, tree: moved }))).toEqual({ a: "equal" });
    expect(kinds(plan([step("a")], { passed }))).toEqual({ a: "new" });
  });
});

describe("ten thousand steps", () => {
  const layers = (count: number, width: number): Step[] =>
    Array.from({ length: count }, (_, at) => {
      const row = Math.floor(at / width);
      return step(`s${at}`, {
        dependencies:
          row === 0 ? [] : [at - width, (row - 1) * width].map((id) => `s${id}`).filter((id, index, all) => all.indexOf(id) === index),
      });
    });

  test.each([
    ["a chain", 1],
    ["layers", 100],
    ["no edges", 10_000],
  ])("are planned in time, %s", (_, width) => {
    const steps = layers(10_000, width);
    let passed: CachedResult[] = [];
    if (width === 10_000) passed = passedOf(plan(steps));
    const started = performance.now();
    const made = plan(steps, { passed });
    const took = performance.now() - started;
    expect(made.criticalPath.length).toBe(10_000 / width);
    expect(made.steps.length).toBe(10_000);
    expect(took).toBeLessThan(1000);
  });
});
