/** The changes of steps: checked, passed on, merged and, when the run passes, applied to the project once. */
import { describe, expect, test } from "vitest";
import type { Changeset } from "../../../src/core/changeset.ts";
import { parsePermission } from "../../../src/core/permissions.ts";
import type { ExecuteRig } from "../../rig/execute-rig.ts";
import { executeRig, fail, fingerprintOf } from "../../rig/execute-rig.ts";
import { changeOf, fileState } from "../../rig/memory-changes.ts";
import { passedWork, schemaContract, step } from "../../rig/plan-fixtures.ts";

const a = step("a");
const b = step("b", { dependencies: ["a"] });
const left = step("left", { dependencies: ["a"] });
const right = step("right", { dependencies: ["a"] });
const join = step("join", { dependencies: ["left", "right"] });

/** Step → the changes of each of its attempts. */
function changing(byStep: Readonly<Record<string, Changeset>>) {
  return (id: string) => byStep[id] ?? [];
}

/** Step → path → summary, without contents, of the files that its workspace started with. */
function starts(rig: ExecuteRig): Record<string, readonly string[]> {
  return Object.fromEntries(rig.workspaces.opened.map(({ step: { id }, start }) => [id, (start ?? []).map(({ path }) => path)]));
}

describe("a run that passes", () => {
  test("passes changes to later steps, and applies all of them once", async () => {
    const rig = executeRig([a, b], {
      changes: changing({ a: [changeOf("x", undefined, "1")], b: [changeOf("x", "1", "2"), changeOf("y", undefined, "3")] }),
    });
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect(starts(rig)).toEqual({ a: [], b: ["x"] });
    expect([...rig.changes.project]).toEqual([
      ["x", fileState("2")],
      ["y", fileState("3")],
    ]);
    expect(rig.journal.events.map(({ type }) => type).slice(-3)).toEqual(["changes-merged", "changes-applied", "run-finished"]);
    expect(rig.of("changes-applied")).toMatchObject([{ changes: { added: 2, changed: 0, deleted: 0 } }]);
    expect(rig.of("attempt-passed").map(({ step: id, changes }) => [id, changes?.added, changes?.changed])).toEqual([
      ["a", 1, 0],
      ["b", 1, 1],
    ]);
  });

  test("does not change the project if changes are not to be applied", async () => {
    const rig = executeRig([a], { changes: changing({ a: [changeOf("x", undefined, "1")] }), options: { apply: false } });
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect([rig.changes.applied, rig.of("changes-merged").map(({ apply }) => apply), rig.of("changes-applied")]).toEqual([[], [false], []]);
  });

  test("fails if the project changed meanwhile, and applies its changes when it is resumed, without running a step", async () => {
    const rig = executeRig([a], { changes: changing({ a: [changeOf("x", undefined, "1")] }) });
    rig.changes.project.set("x", fileState("foreign"));
    const failure = { reason: "project-changed", paths: ["x"], hint: "put them back" };
    expect(await rig.run()).toEqual({ ok: true, value: { status: "failed", durationMs: expect.any(Number), failure } });
    expect([...rig.changes.project]).toEqual([["x", fileState("foreign")]]);

    const [passed] = rig.of("attempt-passed");
    const prior = new Map([
      [
        "a",
        {
          id: "a",
          persona: "worker",
          dependencies: [],
          optional: false,
          status: "passed" as const,
          artifacts: [],
          attempts: [],
          changes: passed?.changes,
        },
      ],
    ]);
    const resumed = executeRig([a], { context: { prior: prior as never, changes: rig.changes } });
    rig.changes.project.clear();
    expect(await resumed.run()).toMatchObject({ value: { status: "passed" } });
    expect([resumed.adapter.runs, [...rig.changes.project.keys()]]).toEqual([[], ["x"]]);
  });
});

describe("parallel steps", () => {
  const base = [changeOf("x", undefined, "0")];

  test("have their changes merged in the step that depends on both, and in the project", async () => {
    const rig = executeRig([a, left, right, join], {
      changes: changing({ a: base, left: [changeOf("x", "0", "1")], right: [changeOf("x", "0", "2"), changeOf("z", undefined, "3")] }),
    });
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect(starts(rig)).toMatchObject({ left: ["x"], right: ["x"], join: ["x", "z"] });
    expect([...rig.changes.project.keys()].sort()).toEqual(["x", "z"]);
  });

  test("with conflicting changes fail the step that depends on both, which names them", async () => {
    const rig = executeRig([a, left, right, join], {
      changes: changing({ a: base, left: [changeOf("x", "0", "clash")], right: [changeOf("x", "0", "2")] }),
    });
    expect(await rig.run()).toMatchObject({ value: { status: "failed" } });
    expect(rig.endings()).toEqual({ a: "passed", left: "passed", right: "passed", join: "failed" });
    expect(rig.of("attempt-failed")).toMatchObject([
      { step: "join", failure: { reason: "merge-conflict", step: "join", conflicts: [{ path: "x", steps: ["left", "right"] }] } },
    ]);
    expect(rig.changes.applied).toEqual([]);
  });

  test("with conflicting changes fail the run at its end if no step depends on both", async () => {
    const rig = executeRig([a, left, right], {
      changes: changing({ a: base, left: [changeOf("x", "0", "clash")], right: [changeOf("x", "0", "2")] }),
    });
    expect(await rig.run()).toMatchObject({ value: { status: "failed", failure: { reason: "merge-conflict" } } });
    expect(rig.changes.applied).toEqual([]);
  });
});

describe("an attempt", () => {
  const rule = parsePermission("file_write:src/**");
  const permissions = { layers: [{ source: "step" as const, allow: rule === undefined ? [] : [rule], deny: [] }] };

  test("that writes files without permission fails, is discarded, and is not retried", async () => {
    const rig = executeRig([step("a", { permissions, contracts: [schemaContract({ onFailure: "retry" })] })], {
      changes: changing({ a: [changeOf("docs/x", undefined, "1"), changeOf("src/x", undefined, "1")] }),
    });
    expect(await rig.run()).toMatchObject({ value: { status: "failed" } });
    expect(rig.of("attempt-failed")).toMatchObject([{ failure: { reason: "write-denied", paths: ["docs/x"] }, artifacts: [] }]);
    expect([rig.adapter.runs, rig.changes.applied]).toEqual([["a.1"], []]);
  });

  test("that fails its contract leaves no changes to later attempts or to the project", async () => {
    let judged = 0;
    const rig = executeRig([step("a", { contracts: [schemaContract({ onFailure: "retry" })] })], {
      changes: (_id, attempt) => [changeOf(`x${attempt}`, undefined, "1")],
      verify: () => (++judged === 1 ? fail : { verdict: "pass", violations: [] }),
    });
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    expect(rig.workspaces.opened.map(({ start }) => start)).toEqual([undefined, undefined]);
    expect([...rig.changes.project.keys()]).toEqual(["x2"]);
  });
});

describe("reuse", () => {
  async function earlier(rig: ExecuteRig, changes: Changeset) {
    const kept = await rig.changes.keep(changes);
    if (!kept.ok) throw new Error("not kept");
    return passedWork("a", fingerprintOf(a, {}), { changes: kept.value, workspace: "isolated" });
  }

  async function reusing(changes: Changeset, prepare: (rig: ExecuteRig) => void = () => undefined) {
    const holder: { found?: Awaited<ReturnType<typeof earlier>> } = {};
    const rig = executeRig([a], {
      context: { findCachedResult: () => (holder.found === undefined ? { kind: "new" } : { kind: "equal", cached: holder.found }) },
    });
    holder.found = await earlier(rig, changes);
    prepare(rig);
    expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
    return rig;
  }

  test("includes the changes", async () => {
    const rig = await reusing([changeOf("x", undefined, "1")]);
    expect([rig.adapter.runs, [...rig.changes.project.keys()]]).toEqual([[], ["x"]]);
    expect(rig.of("step-reused")).toMatchObject([{ changes: { added: 1 } }]);
  });

  test("is refused if the files that it changes differ from the states before", async () => {
    const rig = await reusing([changeOf("x", "0", "1")], ({ changes }) => changes.project.set("x", fileState("other")));
    expect(rig.adapter.runs).toEqual(["a.1"]);
  });

  test("is refused if the blob of a change is missing", async () => {
    const change = changeOf("x", undefined, "1");
    const rig = await reusing([change], ({ changes }) => {
      const { after } = change;
      if (after !== undefined && "digest" in after) changes.lost.add(after.digest);
    });
    expect(rig.adapter.runs).toEqual(["a.1"]);
  });
});

test("changes of an earlier run over the base are rolled back in workspaces and in the applied changes", async () => {
  const undo = [changeOf("x", "applied", undefined)];
  const rig = executeRig([a], { undo, changes: changing({ a: [changeOf("y", undefined, "1")] }) });
  rig.changes.project.set("x", fileState("applied"));
  expect(await rig.run()).toMatchObject({ value: { status: "passed" } });
  expect(starts(rig)).toEqual({ a: ["x"] });
  expect([...rig.changes.project.keys()]).toEqual(["y"]);
});
