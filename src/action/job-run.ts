/** Which run of an identity a job is about: one that is resumed, or a new one. */
import type { RunRecord } from "../core/state.ts";
import { workflowOf } from "../platform/process-identity.ts";
import { type RunIdentity, runIdOf } from "./run-identity.ts";

export type Decision =
  | {
      readonly kind: "start";
      readonly run: string;
      /** The same attempt has done this before. */
      readonly again: boolean;
      /** It passed in an earlier attempt of this workflow run, which was re-run to execute it once more. */
      readonly rerun?: true;
    }
  | { readonly kind: "resume"; readonly run: string };

export interface DecisionRequest {
  readonly identity: RunIdentity;
  /** `auto`, `never`, or a run. */
  readonly resume: string;
  /** The job executes only some steps. */
  readonly part: boolean;
  /** Nothing where there is no such run. */
  readonly find: (run: string) => Promise<RunRecord | undefined>;
}

/**
 * Resumes a run that did not pass, whatever its status: one that waits does not count as passed, even if its job was green. For a run that passed in an
 * earlier attempt, or as a whole in this one, another is started. A part of one that passed in this attempt has no steps left.
 */
export async function decideRun({ identity, resume, part, find }: DecisionRequest): Promise<Decision> {
  if (resume !== "auto" && resume !== "never") return { kind: "resume", run: resume };
  const first = runIdOf(identity);
  const idOf = (generation: number) => (generation === 1 ? first : `${first}-${generation}`);
  let generation = 1;
  let newest: RunRecord | undefined;
  for (let found = await find(idOf(1)); found !== undefined; found = await find(idOf(generation))) {
    newest = found;
    generation += 1;
  }
  const run = idOf(generation);
  if (newest === undefined) return { kind: "start", run, again: false };
  const here = workflowOf(newest.writer.host)?.attempt === identity.context.runAttempt;
  if (resume === "never") return { kind: "start", run, again: false };
  if (newest.status !== "passed" || (part && here)) return { kind: "resume", run: newest.id };
  return { kind: "start", run, again: here, ...(here ? {} : { rerun: true }) };
}
