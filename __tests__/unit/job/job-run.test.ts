/** Which run a job is about. */
import { describe, expect, it } from "vitest";
import { type DecisionRequest, decideRun, familyId, type RunFamily, shortMatrixKey } from "../../../src/job/job-run.ts";
import { digestOfBytes } from "../../../src/model/digest.ts";
import type { RunRecord } from "../../../src/model/state.ts";

const family: RunFamily = {
  context: { owner: "octo", repo: "demo", runId: 100, runAttempt: 2 },
  pipeline: "review",
  matrixKey: "null",
};
const id = familyId(family);

/** Runs that are there: id → status and the attempt that wrote it last. */
function decide(runs: Readonly<Record<string, readonly [RunRecord["status"], number]>>, request: Partial<DecisionRequest> = {}) {
  const find = async (run: string) => {
    const found = runs[run];
    if (found === undefined) return undefined;
    return { id: run, status: found[0], writer: { pid: 1, processStart: "", host: `vm/github/100/${found[1]}` } } as RunRecord;
  };
  return decideRun({ family, find, resume: "auto", part: false, ...request });
}

describe("the id of a run", () => {
  it("is the same for every attempt, and another for another workflow run, pipeline, version, input or matrix key", () => {
    const others: readonly RunFamily[] = [
      { ...family, context: { ...family.context, runId: 101 } },
      { ...family, context: { ...family.context, repo: "other" } },
      { ...family, pipeline: "audit" },
      { ...family, version: "v2" },
      { ...family, input: digestOfBytes("x") },
      { ...family, matrixKey: '{"os":"linux"}' },
    ];
    expect(familyId({ ...family, context: { ...family.context, runAttempt: 7 } })).toBe(id);
    expect(new Set([id, ...others.map(familyId)]).size).toBe(others.length + 1);
    expect(id).toMatch(/^[0-9a-f]{12}$/);
  });

  it("takes the matrix of a job without one for no matrix", () => {
    expect(["", "null", "{}", " null\n"].map(shortMatrixKey)).toEqual(["", "", "", ""]);
    expect(shortMatrixKey("linux-20")).toBe("linux-20");
    expect(shortMatrixKey('{\n  "os": "linux"\n}')).toMatch(/^[0-9a-f]{12}$/);
  });
});

describe("the decision", () => {
  it("starts the first run of a family", async () => {
    expect(await decide({})).toEqual({ kind: "start", run: id, again: false });
  });

  it("goes on with a run that did not pass, whichever attempt it is of", async () => {
    for (const status of ["failed", "cancelled", "interrupted", "pending", "running"] as const) {
      expect(await decide({ [id]: [status, 1] })).toEqual({ kind: "resume", run: id });
      expect(await decide({ [id]: [status, 2] })).toEqual({ kind: "resume", run: id });
    }
  });

  it("starts another when an earlier attempt passed, and goes on with that one afterwards", async () => {
    expect(await decide({ [id]: ["passed", 1] })).toEqual({ kind: "start", run: `${id}-2`, again: false });
    expect(await decide({ [id]: ["passed", 1], [`${id}-2`]: ["failed", 2] })).toEqual({ kind: "resume", run: `${id}-2` });
    expect(await decide({ [id]: ["passed", 1], [`${id}-2`]: ["passed", 1] })).toEqual({ kind: "start", run: `${id}-3`, again: false });
  });

  it("does a whole pipeline again in the same attempt, with reuse, and has nothing to do for a part of it", async () => {
    expect(await decide({ [id]: ["passed", 2] })).toEqual({ kind: "start", run: `${id}-2`, again: true });
    expect(await decide({ [id]: ["passed", 2] }, { part: true })).toEqual({ kind: "resume", run: id });
    expect(await decide({ [id]: ["passed", 1] }, { part: true })).toEqual({ kind: "start", run: `${id}-2`, again: false });
  });

  it("does as it is told", async () => {
    expect(await decide({ [id]: ["failed", 1] }, { resume: "never" })).toEqual({ kind: "start", run: `${id}-2`, again: false });
    expect(await decide({}, { resume: "3f9a" })).toEqual({ kind: "resume", run: "3f9a" });
  });
});
