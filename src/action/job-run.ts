/** Decides whether a job resumes a run of its identity or starts a new one. */
import type { RunRecord } from "../core/state.ts";
import { workflowOf } from "../platform/process-identity.ts";
import { type RunIdentity, runIdOf } from "./run-identity.ts";

export type Decision =
  | {
      readonly kind: "start";
      readonly run: string;
      /** This attempt of the workflow run has executed the run already. */
      readonly again: boolean;
      /** The run passed in an earlier attempt, and the workflow run was re-run. */
      readonly rerun?: true;
    }
  | { readonly kind: "resume"; readonly run: string };

export interface DecisionRequest {
  readonly identity: RunIdentity;
  /** `auto`, `never`, or a run. */
  readonly resume: string;
  /** The job executes only some steps. */
  readonly part: boolean;
  /** Undefined if there is no such run. */
  readonly find: (run: string) => Promise<RunRecord | undefined>;
}

/**
 * Resumes the newest run if it did not pass; a waiting run has not passed, even if its job was green. Otherwise starts a new
 * run, except for a job with `steps` whose run passed in this attempt: it resumes that run, which has no steps left.
 */
export async function decideRun({ identity, resume, part, find }: DecisionRequest): Promise<Decision> {
  if (resume !== "auto" && resume !== "never") return { kind: "resume", run: resume };
  const first = runIdOf(identity);
  const idOf = (generation: number) => (generation === 1 ? first : `${first}-${generation}`);
  let generation = 1;
  let newest: RunRecord | undefined;
  for (let run = await find(idOf(1)); run !== undefined; run = await find(idOf(generation))) {
    newest = run;
    generation += 1;
  }
  const run = idOf(generation);
  if (newest === undefined) return { kind: "start", run, again: false };
  const here = workflowOf(newest.writer.host)?.attempt === identity.context.runAttempt;
  if (resume === "never") return { kind: "start", run, again: false };
  if (newest.status !== "passed" || (part && here)) return { kind: "resume", run: newest.id };
  return { kind: "start", run, again: here, ...(here ? {} : { rerun: true }) };
}
