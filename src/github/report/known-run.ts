/** Merges the results of jobs that share a run: the newest reported result of each step. Pure. */

import { compareAttempts, type WorkflowAttempt } from "../../core/comment-body.ts";
import { decidingAttempt } from "../../core/deciding-attempt.ts";
import { defined } from "../../core/defined.ts";
import { passedUnchecked } from "../../core/empty-output.ts";
import type { ContractResult } from "../../core/failure.ts";
import { describeFailure } from "../../core/failures.ts";
import type { RunRecord, StepRecord } from "../../core/state.ts";
import { totalUsage, usageText } from "../../core/usage.ts";
import { ignoredText } from "../../reporters/console/changes-text.ts";
import { originNote } from "../../reporters/console/render-artifacts.ts";

/** A step's result for reports. Its texts are untrusted, so pages escape them. */
export interface KnownStep {
  readonly id: string;
  readonly persona: string;
  readonly dependencies: readonly string[];
  readonly optional: boolean;
  readonly status: StepRecord["status"];
  /** The run whose result was reused. */
  readonly reusedFrom?: string;
  readonly because?: string;
  /** Describes files that were not kept. */
  readonly note?: string;
  readonly problem?: { readonly title: string; readonly detail: string; readonly hint?: string };
  readonly durationMs?: number;
  /** Number of attempts. */
  readonly attempts: number;
  readonly usage?: string;
  readonly unchecked: boolean;
  readonly contracts: readonly Pick<ContractResult, "name" | "verdict">[];
  readonly artifacts: readonly { readonly name: string; readonly size: number; readonly note: string }[];
}

export interface KnownRun {
  readonly id: string;
  /** In the order of the manifest. */
  readonly steps: readonly KnownStep[];
}

/** A step's result with its origin and age. */
export interface ReportedStep {
  readonly step: KnownStep;
  /** The attempt of the workflow run whose job executed the step; `{0, 0}` if this job only read the result from state. */
  readonly by: WorkflowAttempt;
  /** When the result was recorded, in milliseconds since 1970; 0 if there is none. */
  readonly at: number;
}

/** Results by step id. */
export type ReportedSteps = ReadonlyMap<string, ReportedStep>;

const noAttempt: WorkflowAttempt = { workflowRun: 0, attempt: 0 };

/** Converts a record without results of other jobs. */
export function knownRun({ id, steps }: RunRecord): KnownRun {
  return { id, steps: steps.map(knownStep) };
}

/** The results of a record. `steps`: those that the job executes; undefined for all. */
export function reportedSteps(record: RunRecord, steps: readonly string[] | undefined, by: WorkflowAttempt): ReportedSteps {
  return new Map(
    record.steps.map((step) => {
      const own = steps === undefined || steps.includes(step.id);
      return [
        step.id,
        { step: knownStep(step), by: own ? by : noAttempt, at: !own && step.status === "pending" ? 0 : timeOf(step, record) },
      ];
    }),
  );
}

/** Merges the newest result of each step. Steps that `run` does not contain are dropped. */
export function mergeReported(run: ReportedSteps, others: ReportedSteps): ReportedSteps {
  return new Map([...run].map(([id, mine]) => [id, newest(mine, others.get(id))]));
}

function newest(mine: ReportedStep, other: ReportedStep | undefined): ReportedStep {
  if (other === undefined) return mine;
  const isOwn = mine.by.workflowRun > 0 && other.by.workflowRun > 0;
  const age = (isOwn ? compareAttempts(mine.by, other.by) : 0) || mine.at - other.at;
  // Dependencies are the same in all jobs, so comments do not contain them.
  const { dependencies } = mine.step;
  const [newer, older] = age > 0 || (age === 0 && mine.by.workflowRun > 0) ? [mine, other] : [other, mine];
  const by = compareAttempts(newer.by, older.by) < 0 ? older.by : newer.by;
  return { ...newer, by, step: { ...newer.step, dependencies } };
}

/** The time of a step's last event. Used only if attempts do not decide, because clocks of machines can differ. */
function timeOf({ attempts }: StepRecord, { startedAt, finishedAt }: RunRecord): number {
  const last = attempts.at(-1);
  return Date.parse(last?.finishedAt ?? last?.startedAt ?? finishedAt ?? startedAt);
}

function knownStep(step: StepRecord): KnownStep {
  const { id, persona, dependencies, optional, status, reusedFrom, because, attempts, artifacts, changes } = step;
  const deciding = decidingAttempt(step);
  const total = totalUsage(attempts.map(({ usage }) => usage));
  const failure = status === "failed" && step.failure !== undefined ? describeFailure(step.failure) : undefined;
  const problem =
    failure === undefined ? undefined : { title: failure.title, detail: failure.detail.join("\n"), ...defined({ hint: failure.hint }) };
  return {
    id,
    persona,
    dependencies,
    optional,
    status,
    ...defined({ reusedFrom: reusedFrom?.run, because }),
    ...(changes?.ignored === undefined ? {} : { note: ignoredText(changes) }),
    ...defined({ problem }),
    ...(deciding?.durationMs === undefined ? {} : { durationMs: deciding.durationMs }),
    attempts: attempts.length,
    ...(total === undefined ? {} : { usage: usageText(total) }),
    unchecked: passedUnchecked(step),
    contracts: (deciding?.contracts ?? []).map(({ name, verdict }) => ({ name, verdict })),
    artifacts: artifacts.map(({ name, size, source }) => ({ name, size, note: originNote({ source }) })),
  };
}
