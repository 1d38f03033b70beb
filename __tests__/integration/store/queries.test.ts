import { describe, expect, test } from "vitest";
import type { EventPayload } from "../../../src/core/event.ts";
import { artifact, digest } from "../../rig/plan-fixtures.ts";
import { attemptPassed, attemptStarted, fingerprint, result, started } from "../../rig/run-events.ts";
import { append, hasDatabase, must, passingRun, stateDirectory, storeIn } from "../../rig/state-rig.ts";

async function threeRuns() {
  const stateDir = stateDirectory();
  await passingRun(storeIn(stateDir), "aa11");
  await passingRun(storeIn(stateDir), "ab22", ["x"], "other");
  await passingRun(storeIn(stateDir), "cc33");
  return { stateDir, store: storeIn(stateDir) };
}

describe("runs are found", () => {
  test.each([
    ["its id", "aa11", "aa11"],
    ["a unique prefix", "c", "cc33"],
    ["`latest`", "latest", "cc33"],
  ])("by %s, without the tables", async (_, selector, id) => {
    const { store, stateDir } = await threeRuns();
    expect(must(await store.findRun(selector)).id).toBe(id);
    expect(hasDatabase(stateDir)).toBe(false);
  });

  test("by a pipeline's name, which selects its newest run", async () => {
    const { store } = await threeRuns();
    expect(must(await store.findRun("demo")).id).toBe("cc33");
    expect(must(await store.findRun("other")).id).toBe("ab22");
  });

  test.each([
    ["a", ["aa11", "ab22"]],
    ["nothing", ["cc33", "ab22", "aa11"]],
    ["", ["cc33", "ab22", "aa11"]],
    ["../aa11", ["cc33", "ab22", "aa11"]],
  ])("not by %j", async (selector, candidates) => {
    const { store } = await threeRuns();
    expect(await store.findRun(selector)).toEqual({ ok: false, error: { reason: "run-not-found", selector, candidates } });
    expect(await store.readEvents(selector)).toMatchObject({ ok: false, error: { reason: "run-not-found" } });
  });

  test("not before they started", async () => {
    const { store } = await threeRuns();
    const journal = must(await store.openJournal("dd44"));
    must(await journal.close());
    expect(must(await store.findRun("latest")).id).toBe("cc33");
    expect(await store.findRun("dd44")).toMatchObject({ ok: false, error: { reason: "run-not-found" } });
    expect(must(await store.listRuns())).toHaveLength(3);
  });

  test("with equal records in the tables and in the journals", async () => {
    const { store } = await threeRuns();
    const [ending] = must(await store.runsEndingAt("other", digest("tree")));
    expect(ending).toEqual(must(await store.findRun("ab22")));
  });

  test("while they are active, with new events for a reader that follows them", async () => {
    const { store } = await threeRuns();
    const journal = must(await store.openJournal("dd44"));
    await append(journal, started({ a: [] }), attemptStarted("a"));
    expect(must(await store.findRun("dd44"))).toMatchObject({ status: "running", steps: [{ status: "running" }] });
    await append(journal, attemptPassed("a"));
    expect(must(await store.findRun("dd44"))).toMatchObject({ status: "running", steps: [{ status: "passed" }] });
    must(await journal.close());
    expect(must(await store.findRun("dd44"))).toMatchObject({ status: "interrupted" });
  });
});

describe("lists", () => {
  test("are newest first, of one pipeline, and limited", async () => {
    const { store } = await threeRuns();
    const list = async (filter?: { pipeline?: string; limit?: number }) => must(await store.listRuns(filter)).map((run) => run.id);
    expect(await list()).toEqual(["cc33", "ab22", "aa11"]);
    expect(await list({ limit: 2 })).toEqual(["cc33", "ab22"]);
    expect(await list({ pipeline: "demo" })).toEqual(["cc33", "aa11"]);
    expect(await list({ pipeline: "demo", limit: 1 })).toEqual(["cc33"]);
    expect(await list({ pipeline: "none" })).toEqual([]);
  });

  test("contain the status of each run", async () => {
    const { store } = await threeRuns();
    const [newest] = must(await store.listRuns());
    const { startedAt, finishedAt } = must(await store.findRun("cc33"));
    expect(newest).toEqual({
      id: "cc33",
      pipeline: "demo",
      status: "passed",
      startedAt,
      finishedAt,
      durationMs: 1000,
      steps: { pending: 0, running: 0, passed: 2, failed: 0, skipped: 0, cancelled: 0 },
      archived: false,
    });
  });
});

describe("cached results", () => {
  test("are all passed attempts of the pipeline, newest first", async () => {
    const { store } = await threeRuns();
    const work = must(await store.cachedResults("demo"));
    expect(work.map(({ run, step, attempt }) => [run, step, attempt])).toEqual([
      ["cc33", "b", 1],
      ["cc33", "a", 1],
      ["aa11", "b", 1],
      ["aa11", "a", 1],
    ]);
    const record = must(await store.findRun("cc33")).steps[1];
    expect(work[0]).toEqual({
      run: "cc33",
      step: "b",
      attempt: 1,
      fingerprint,
      artifacts: [artifact("b", "bytes of b")],
      finishedAt: record?.attempts[0]?.finishedAt,
      workspace: "shared",
      treeBefore: digest("tree"),
      treeAfter: digest("tree"),
    });
  });

  test("include passed attempts of a failed run, but no reused steps", async () => {
    const store = storeIn(stateDirectory());
    const journal = must(await store.openJournal("aa11"));
    await append(
      journal,
      started({ a: [], b: [] }),
      { type: "step-reused", step: "b", from: { run: "older", attempt: 1 }, fingerprint, artifacts: [] },
      attemptStarted("a"),
      attemptPassed("a"),
      { type: "run-finished", status: "failed", durationMs: 1 },
    );
    must(await journal.close());
    const work = must(await store.cachedResults("demo"));
    expect(work.map((one) => one.step)).toEqual(["a"]);
    expect(work[0]).not.toHaveProperty("treeAfter");
  });

  test("come with a list of the runs that ended with a tree", async () => {
    const { store } = await threeRuns();
    await passingRun(store, "dd44", ["a"], "demo", digest("another"));
    const ending = async (word: string) => must(await store.runsEndingAt("demo", digest(word))).map((run) => run.id);
    expect(await ending("tree")).toEqual(["cc33", "aa11"]);
    expect(await ending("another")).toEqual(["dd44"]);
    expect(await ending("none")).toEqual([]);
  });
});

describe("a breaker's window", () => {
  const check = (verdict: "pass" | "fail" | "error", breaker = "k"): EventPayload => ({
    type: "contract-checked",
    step: "a",
    attempt: 1,
    result: result("shape", { verdict }),
    breaker,
  });

  test("spans ended and active runs, including events that this process just wrote", async () => {
    const stateDir = stateDirectory();
    const [mine, other] = [storeIn(stateDir), storeIn(stateDir)];
    const window = async (store = mine) => must(await store.breakerWindow("k", 3)).map((sample) => sample.failed);
    const first = must(await mine.openJournal("aa11"));
    await append(first, started({ a: [] }), check("fail"), check("error"), check("fail", "another"));
    expect(await window()).toEqual([true]);
    must(await first.close());
    expect(await window()).toEqual([true]);
    const second = must(await mine.openJournal("bb22"));
    await append(second, started({ a: [] }), check("pass"));
    await append(second, check("fail"));
    expect(await window()).toEqual([true, false, true]);
    await append(second, check("pass"));
    expect(await window()).toEqual([false, true, false]);
    expect(await window(other)).toEqual([false, true, false]);
    must(await second.close());
    expect(await window()).toEqual([false, true, false]);
    expect(await window(storeIn(stateDir))).toEqual([false, true, false]);
  });

  test("restarts at a reset, and continues after a resume", async () => {
    const stateDir = stateDirectory();
    const store = storeIn(stateDir);
    const first = must(await store.openJournal("aa11"));
    await append(first, started({ a: [] }), check("fail"), check("fail"), { type: "circuit-reset", breaker: "k" }, check("pass"));
    must(await first.close());
    expect(must(await store.breakerWindow("k", 9))).toHaveLength(1);
    const again = must(await store.openJournal("aa11"));
    await append(again, { type: "run-resumed", concurrency: 1, onFailure: "finish" }, check("fail"));
    expect(must(await store.breakerWindow("k", 9)).map((sample) => sample.failed)).toEqual([true, false]);
    await append(again, { type: "circuit-reset", breaker: "k" });
    expect(must(await store.breakerWindow("k", 9))).toEqual([]);
    must(await again.close());
    expect(must(await storeIn(stateDir).breakerWindow("k", 9))).toEqual([]);
  });
});
