/** Decides which run a job starts or resumes. */
import { describe, expect, it } from "vitest";
import { type DecisionRequest, decideRun } from "../../../src/action/job-run.ts";
import { type RunIdentity, runIdOf } from "../../../src/action/run-identity.ts";
import type { RunRecord } from "../../../src/core/state.ts";

const identity: RunIdentity = {
  context: { owner: "octo", repo: "demo", workflowFile: ".github/workflows/ci.yml", runId: 100, runAttempt: 2 },
  manifest: { directory: "", files: ["wave.yaml"] },
  pipeline: "review",
  matrixKey: "null",
  runKey: "",
};
const id = runIdOf(identity);

/** The existing runs: id → status and the attempt that last wrote it. */
function decide(runs: Readonly<Record<string, readonly [RunRecord["status"], number]>>, request: Partial<DecisionRequest> = {}) {
  const find = async (run: string) => {
    const found = runs[run];
    if (found === undefined) return undefined;
    return { id: run, status: found[0], writer: { pid: 1, processStart: "", host: `vm/github/100/${found[1]}` } } as RunRecord;
  };
  return decideRun({ identity, find, resume: "auto", part: false, ...request });
}

describe("the decision", () => {
  it("starts the first run of an identity", async () => {
    expect(await decide({})).toEqual({ kind: "start", run: id, again: false });
  });

  it("resumes a run that did not pass, whichever attempt started it", async () => {
    for (const status of ["failed", "cancelled", "interrupted", "pending", "running"] as const) {
      expect(await decide({ [id]: [status, 1] })).toEqual({ kind: "resume", run: id });
      expect(await decide({ [id]: [status, 2] })).toEqual({ kind: "resume", run: id });
    }
  });

  it("starts a new run without reuse after an earlier attempt passed, and resumes that run afterwards", async () => {
    expect(await decide({ [id]: ["passed", 1] })).toEqual({ kind: "start", run: `${id}-2`, again: false, rerun: true });
    expect(await decide({ [id]: ["passed", 1], [`${id}-2`]: ["failed", 2] })).toEqual({ kind: "resume", run: `${id}-2` });
    expect(await decide({ [id]: ["passed", 1], [`${id}-2`]: ["passed", 1] })).toEqual({
      kind: "start",
      run: `${id}-3`,
      again: false,
      rerun: true,
    });
  });

  it("starts a whole pipeline again with reuse in the same attempt, and resumes the run for a part of it", async () => {
    expect(await decide({ [id]: ["passed", 2] })).toEqual({ kind: "start", run: `${id}-2`, again: true });
    expect(await decide({ [id]: ["passed", 2] }, { part: true })).toEqual({ kind: "resume", run: id });
    expect(await decide({ [id]: ["passed", 1] }, { part: true })).toEqual({ kind: "start", run: `${id}-2`, again: false, rerun: true });
  });

  it("follows the inputs `resume: never` and a run id", async () => {
    expect(await decide({ [id]: ["failed", 1] }, { resume: "never" })).toEqual({ kind: "start", run: `${id}-2`, again: false });
    expect(await decide({}, { resume: "3f9a" })).toEqual({ kind: "resume", run: "3f9a" });
  });
});
