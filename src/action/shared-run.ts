/** A run that several jobs execute, each some of its steps. Combines the results that they reported in comments. */
import { hasMark, readSections } from "../core/comment-body.ts";
import type { GitHub } from "../core/github.ts";
import type { RunRecord } from "../core/state.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import { type KnownRun, knownRun, mergeReported, type ReportedSteps, reportedSteps } from "../github/report/known-run.ts";
import { decodeKnown, encodeKnown } from "../github/report/known-state.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";

export interface SharedRunRequest {
  readonly inputs: Pick<JobInputs, "comment" | "steps">;
  readonly context: Pick<WorkflowContext, "runId" | "runAttempt" | "pull">;
  readonly github?: GitHub;
  /** The key of the comment with the result. */
  readonly commentKey: string;
}

export interface SharedRun {
  /** Reads the other jobs' results, once. Does nothing if the job executes the whole run. Ignores unreadable results; never fails. */
  gather(run: string): Promise<void>;
  /** The run with the newest result of each step. */
  known(record: RunRecord): KnownRun;
  /** Adds the results from a comment's sections. `state` is the encoded result to write there. */
  with(record: RunRecord, states: readonly string[]): { readonly known: KnownRun; readonly state: string };
}

export function openSharedRun({ inputs, context, github, commentKey }: SharedRunRequest): SharedRun {
  const others: ReportedSteps[] = [];
  let gathered: Promise<void> | undefined;
  const by = { workflowRun: context.runId, attempt: context.runAttempt };
  const merged = (record: RunRecord, more: readonly ReportedSteps[]) =>
    [...others, ...more].reduce(mergeReported, reportedSteps(record, inputs.steps, by));
  return {
    gather(run) {
      gathered ??= inputs.steps === undefined ? Promise.resolve() : gather(run);
      return gathered;
    },
    known: (record) => (others.length === 0 ? knownRun(record) : runOf(record, merged(record, []))),
    with(record, states) {
      const steps = merged(
        record,
        states.map((state) => decodeKnown(record.id, state)),
      );
      return { known: runOf(record, steps), state: encodeKnown(record.id, steps) };
    },
  };

  async function gather(run: string): Promise<void> {
    if (!inputs.comment || github === undefined || context.pull === undefined) return;
    const listed = await github.listComments(context.pull.number);
    if (!listed.ok) return;
    const own = listed.value.filter(({ body, isOwn }) => isOwn && hasMark(body, commentKey));
    others.push(...own.flatMap(({ body }) => readSections(body)).map(({ state }) => decodeKnown(run, state)));
  }
}

function runOf({ id }: RunRecord, steps: ReportedSteps): KnownRun {
  return { id, steps: [...steps.values()].map(({ step }) => step) };
}
