/**
 * Which run a job is about. On GitHub a run's id follows from the workflow run, the pipeline, the input and the matrix key, so that all jobs and
 * attempts find the same one; a run that is begun after another has passed is numbered. Pure, but for what it asks.
 */
import { type Digest, digestOfBytes } from "../model/digest.ts";
import type { RunRecord } from "../model/state.ts";
import type { WorkflowContext } from "../model/workflow-context.ts";
import { workflowOf } from "../platform/process-identity.ts";

export interface RunFamily {
  readonly context: Pick<WorkflowContext, "owner" | "repo" | "runId" | "runAttempt">;
  readonly pipeline: string;
  readonly version?: string;
  /** Of the run's input. */
  readonly input?: Digest | undefined;
  /** As it was given. */
  readonly matrixKey: string;
}

/** The id of the first run of a family; the ones after it are `ID-2`, `ID-3` … */
export function familyId({ context, pipeline, version = "", input, matrixKey }: RunFamily): string {
  const parts = [context.owner, context.repo, context.runId, pipeline, version, input ?? "", shortMatrixKey(matrixKey)];
  return digestOfBytes(JSON.stringify(parts)).slice("sha256:".length, "sha256:".length + 12);
}

/** A matrix key of any length as a short word; empty where there is no matrix, whose JSON is `null` or empty. */
export function shortMatrixKey(given: string): string {
  const key = given.trim();
  if (["", "null", "{}"].includes(key)) return "";
  return /^[A-Za-z0-9._-]{1,40}$/.test(key) ? key : digestOfBytes(key).slice("sha256:".length, "sha256:".length + 12);
}

export type Decision =
  | { readonly kind: "start"; readonly run: string /** The same attempt has done this before. */; readonly again: boolean }
  | { readonly kind: "resume"; readonly run: string };

export interface DecisionRequest {
  readonly family: RunFamily;
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
export async function decideRun({ family, resume, part, find }: DecisionRequest): Promise<Decision> {
  if (resume !== "auto" && resume !== "never") return { kind: "resume", run: resume };
  const first = familyId(family);
  const idOf = (generation: number) => (generation === 1 ? first : `${first}-${generation}`);
  let generation = 1;
  let newest: RunRecord | undefined;
  for (let found = await find(idOf(1)); found !== undefined; found = await find(idOf(generation))) {
    newest = found;
    generation += 1;
  }
  const run = idOf(generation);
  if (newest === undefined) return { kind: "start", run, again: false };
  const here = workflowOf(newest.writer.host)?.attempt === family.context.runAttempt;
  if (resume === "never") return { kind: "start", run, again: false };
  if (newest.status !== "passed" || (part && here)) return { kind: "resume", run: newest.id };
  return { kind: "start", run, again: here };
}
