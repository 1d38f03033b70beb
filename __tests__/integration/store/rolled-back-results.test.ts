/** Rolled-back results in the database are not offered for reuse. */
import { describe, expect, test } from "vitest";
import type { EventPayload } from "../../../src/core/event.ts";
import { attemptPassed, attemptStarted, fingerprint, started } from "../../rig/run-events.ts";
import { changesRef, resumed, rolledBack } from "../../rig/run-histories.ts";
import { append, must, passingRun, stateDirectory, storeIn } from "../../rig/state-rig.ts";

async function offered(stateDir: string): Promise<string[]> {
  const work = must(await storeIn(stateDir).cachedResults("demo"));
  return work.map(({ run, step, attempt }) => `${run} ${step}.${attempt}`).sort();
}

async function add(stateDir: string, run: string, ...payloads: readonly EventPayload[]): Promise<void> {
  const journal = must(await storeIn(stateDir).openJournal(run));
  await append(journal, ...payloads);
  must(await journal.close());
}

const applied: EventPayload = { type: "changes-applied", changes: changesRef("all") };
const undone: EventPayload = { type: "changes-undone", changes: changesRef("all") };

describe("rolled-back results", () => {
  test("are not offered for reuse, but later results are", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    expect(await offered(stateDir)).toEqual(["aa11 a.1", "aa11 b.1"]);
    await add(stateDir, "aa11", rolledBack("a", ["b"]));
    expect(await offered(stateDir)).toEqual(["aa11 a.1"]);
    await add(stateDir, "aa11", resumed, attemptStarted("b", 2), attemptPassed("b", 2));
    expect(await offered(stateDir)).toEqual(["aa11 a.1", "aa11 b.2"]);
    await add(stateDir, "aa11", { ...resumed, again: ["a", "b"] } as EventPayload);
    expect(await offered(stateDir)).toEqual([]);
  });

  test("include all results of a run whose changes were rolled back, and the results that it reused", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    const reuse: EventPayload = { type: "step-reused", step: "b", from: { run: "aa11", attempt: 1 }, fingerprint, artifacts: [] };
    await add(stateDir, "bb22", started({ a: [], b: ["a"] }), reuse, attemptStarted("a"), attemptPassed("a"), applied);
    await add(stateDir, "bb22", undone);
    expect(await offered(stateDir)).toEqual(["aa11 a.1"]);
  });

  test("of another run are not offered either, and that run's record is unchanged", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    const reuse: EventPayload = { type: "step-reused", step: "b", from: { run: "aa11", attempt: 1 }, fingerprint, artifacts: [] };
    await add(stateDir, "bb22", started({ a: [], b: ["a"] }), reuse);
    expect(await offered(stateDir)).toEqual(["aa11 a.1", "aa11 b.1"]);
    await add(stateDir, "bb22", rolledBack("a", ["b"]));
    expect(await offered(stateDir)).toEqual(["aa11 a.1"]);
    expect(must(await storeIn(stateDir).findRun("aa11")).steps.map(({ status }) => status)).toEqual(["passed", "passed"]);
  });
});
