/** Which run of an identity a job is about: one that is resumed, or a new one. */
import type { RunRecord } from "../model/state.ts";
import { workflowOf } from "../platform/process-identity.ts";
import { type RunIdentity, runIdOf } from "./run-identity.ts";

export type Decision =
  | { readonly kind: "start"; readonly run: string /** The same attempt has done this before. */; readonly again: boolean }
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
 * A run that did not pass is gone on with. One that passed in an earlier attempt was asked for again, and so was one that passed as a whole in this
 * attempt: another is started. A part of one that passed in this attempt has nothing left to do.
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
  return { kind: "start", run, again: here };
}
