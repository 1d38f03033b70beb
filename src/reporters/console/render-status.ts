/** The text of `wave status`: a table of runs, or one run with its steps, attempts, verdicts and artifacts. Pure. */

import { describeContract } from "../../core/describe-contract.ts";
import type { ContractResult } from "../../core/failure.ts";
import { describeFailure } from "../../core/failures.ts";
import { isRolledBack, rollbackArgs } from "../../core/rolled-back.ts";
import type { AttemptRecord, RunRecord, RunSummary, StepRecord, StepStatus } from "../../core/state.ts";
import { totalUsage, usageText } from "../../core/usage.ts";
import { withoutSequences } from "../../text/control-characters.ts";
import { cellWidth, padded, printable } from "../../text/printable.ts";
import { formatDuration, formatSize } from "../../text/quantity.ts";
import { changesText, ignoredText } from "./changes-text.ts";
import { detailLines, failureTitle } from "./failure-lines.ts";
import { colorOf, type Palette, paletteOf, sign } from "./palette.ts";
import { originNote } from "./render-artifacts.ts";

export interface StatusOptions {
  readonly color: boolean;
  /** Returns a command about the same project that works as printed. Defaults to one without options. */
  readonly command?: (args: readonly string[]) => string;
}

const plainCommand = (args: readonly string[]) => ["wave", ...args].join(" ");

/** Runs as a table, in the given order. Ends in a line break. */
export function renderRuns(runs: readonly RunSummary[], { color, command = plainCommand }: StatusOptions): string {
  if (runs.length === 0) return "no runs yet: `wave run` starts one\n";
  const paint = paletteOf(color);
  const rows = runs.map((run) => [
    run.id,
    printable(run.version === undefined ? run.pipeline : `${run.pipeline}@${run.version}`),
    statusText(run, paint),
    instant(run.startedAt),
    run.durationMs === undefined ? "" : formatDuration(run.durationMs),
    `${stepCounts(run.steps)}${run.archived ? " (archived)" : ""}`,
  ]);
  const head = ["RUN", "PIPELINE", "STATUS", "STARTED", "TOOK", "STEPS"];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => cellWidth(withoutSequences(row[column] ?? "")))));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - cellWidth(withoutSequences(cell)))))
      .join("  ")
      .trimEnd();
  const reverted = runs.find(isReverted);
  const next = reverted === undefined ? [] : [again(`the steps of run ${reverted.id}`, command(["resume", reverted.id]), paint)];
  return `${[paint.bold(line(head)), ...rows.map(line), ...next].join("\n")}\n`;
}

function isReverted({ rolledBack, rollback }: RunSummary): boolean {
  return rolledBack === true && rollback === undefined;
}

function statusText(run: RunSummary, paint: Palette): string {
  const { status, rollback } = run;
  if (isReverted(run)) return `${sign("cancelled", paint)} ${rolledBackText}`;
  const note = rollback === undefined ? "" : rollback === "running" ? " (rolling back)" : " (rollback interrupted)";
  return `${sign(status, paint)} ${status}${note}`;
}

const rolledBackText = "rolled back";

function again(steps: string, resume: string, paint: Palette): string {
  return `${paint.bold(`to execute ${steps} again:`)} ${resume}`;
}

/** One run in full. Ends in a line break. */
export function renderRun(run: RunRecord, { color, command = plainCommand }: StatusOptions): string {
  const paint = paletteOf(color);
  const isReverted = run.openRollback === undefined && isRolledBack(run);
  const status = isReverted ? "cancelled" : run.status;
  const name = printable(run.version === undefined ? run.pipeline : `${run.pipeline}@${run.version}`);
  const took = run.durationMs === undefined ? "" : `, took ${formatDuration(run.durationMs)}`;
  const lines = [
    `${sign(status, paint)} ${paint.bold(name)} ${colorOf(status, paint)(isReverted ? rolledBackText : status)} ${paint.dim(`run ${run.id}`)}`,
    paint.dim(`  started ${instant(run.startedAt)}${took}`),
    ...(run.failure === undefined ? [] : [`  ${failureTitle(run.failure)}`]),
    ...(run.archived === true ? ["  archived: its journals were removed by a cleanup; this summary was kept"] : []),
    ...usageLines(run),
    ...projectLines(run),
    ...run.steps.flatMap((step) => stepLines(step, (args) => command(["artifacts", run.id, ...args]), paint)),
    ...(run.alerts ?? []).map((alert) => alertLine(alert, paint)),
    ...nextLines(run, command, paint),
  ];
  return `${lines.join("\n")}\n`;
}

/** Tokens and cost of all attempts. */
function usageLines({ steps }: RunRecord): string[] {
  const total = totalUsage(steps.flatMap(({ attempts }) => attempts.map(({ usage }) => usage)));
  return total === undefined ? [] : [`  ${usageText(total)}`];
}

/** The part of the run's changes that the project contains; if none, the changes that it could contain. */
function projectLines(run: RunRecord): string[] {
  const { changes, inProject, openRollback } = run;
  if (openRollback !== undefined && inProject !== undefined) {
    const state = openRollback.running === true ? "in progress" : "interrupted";
    return [`  rollback ${state}: the project has part of ${changesText(inProject)}`];
  }
  if (changes !== undefined && isRolledBack(run)) return [`  rolled back: ${changesText(changes)} not in the project`];
  if (inProject !== undefined) return [`  ${changesText(inProject)} in the project`];
  return changes === undefined ? [] : [`  ${changesText(changes)} not in the project`];
}

/** The command for the next step, and why it is needed. An archived run cannot be resumed. */
function nextLines(run: RunRecord, command: NonNullable<StatusOptions["command"]>, paint: Palette): string[] {
  const toResume = `${paint.bold("to resume:")} ${command(["resume", run.id])}`;
  if (run.archived === true) return [];
  if (run.openRollback !== undefined && run.openRollback.running !== true) {
    return [`${paint.bold("to complete the rollback:")} ${command(rollbackArgs(run))}`];
  }
  switch (run.status) {
    case "passed":
      return isRolledBack(run) ? [again("its steps", command(["resume", run.id]), paint)] : [];
    case "running":
      return [paint.dim(`process ${run.writer.pid} on ${run.writer.host} executes it`)];
    case "pending":
      return [`some steps passed, the others were not started; ${toResume}`];
    case "interrupted":
      return [`the process that executed it died; ${toResume}`];
    case "failed":
    case "cancelled":
      return [toResume];
  }
}

function alertLine({ alert, reason, subject, outcome, because }: NonNullable<RunRecord["alerts"]>[number], paint: Palette): string {
  const what = `${reason}${subject === "" ? "" : ` ${printable(subject)}`}`;
  return `  alert ${printable(alert)} ${outcome === "sent" ? "sent" : "not sent"}: ${what}${because === undefined ? "" : paint.dim(` ${printable(because)}`)}`;
}

function stepLines(step: StepRecord, artifacts: (args: readonly string[]) => string, paint: Palette): string[] {
  const after = step.dependencies.length === 0 ? "" : paint.dim(` after ${step.dependencies.map(printable).join(", ")}`);
  const reused =
    step.reusedFrom === undefined ? "" : paint.dim(` reused from run ${step.reusedFrom.run}, attempt ${step.reusedFrom.attempt}`);
  const because = step.because === undefined ? "" : ` (${printable(step.because)})`;
  const ownFailure =
    step.failure !== undefined && step.attempts.at(-1)?.failure === undefined
      ? [`    ${failureTitle(step.failure)}`, ...detailLines(describeFailure(step.failure), 6, paint)]
      : [];
  return [
    `  ${sign(step.status, paint)} ${paint.bold(printable(step.id))} ${step.status}${because}${reused} ${paint.dim(printable(step.persona))}${after}`,
    ...step.attempts.flatMap((attempt) => attemptLines(attempt, paint)),
    ...ownFailure,
    ...(step.changes?.ignored === undefined ? [] : [`    ${ignoredText(step.changes)}`]),
    ...step.artifacts.map(
      (artifact) =>
        `    ${padded(printable(artifact.name), 20)}  ${padded(formatSize(artifact.size), 9)}  ${paint.dim(printable(artifacts([step.id, artifact.name])))}${originNote(artifact)}`,
    ),
  ];
}

function attemptLines(attempt: AttemptRecord, paint: Palette): string[] {
  const took = attempt.durationMs === undefined ? "" : ` ${formatDuration(attempt.durationMs)}`;
  const model = attempt.model === undefined ? "" : ` ${printable(attempt.model)}`;
  const used = attempt.usage === undefined ? "" : `, ${usageText(attempt.usage)}`;
  const contracts = new Set(attempt.contracts.map(({ name }) => name));
  // The verdicts below contain a failed contract; the failure would repeat it.
  const failure =
    attempt.failure === undefined ||
    (attempt.failure.reason === "contract-failed" && attempt.failure.contracts.every(({ name }) => contracts.has(name)))
      ? undefined
      : attempt.failure;
  return [
    `    ${sign(attempt.status, paint)} attempt ${attempt.attempt} ${attempt.status}${attempt.rolledBack === true ? ", rolled back" : ""}${took} ${paint.dim(`${attempt.adapter}${model}${used}`)}`,
    ...(failure === undefined ? [] : [`      ${failureTitle(failure)}`, ...detailLines(describeFailure(failure), 6, paint)]),
    ...attempt.contracts.flatMap((result) => contractLines(result, paint)),
  ];
}

function contractLines(result: ContractResult, paint: Palette): string[] {
  const described = describeContract(result);
  return [
    `      ${sign(result.verdict, paint)} ${printable(described.title)} ${paint.dim(formatDuration(result.durationMs))}`,
    ...detailLines(described, 8, paint),
  ];
}

function stepCounts(steps: Readonly<Record<StepStatus, number>>): string {
  const order: readonly StepStatus[] = ["passed", "failed", "running", "cancelled", "skipped", "pending"];
  return order
    .filter((status) => steps[status] > 0)
    .map((status) => `${steps[status]} ${status}`)
    .join(", ");
}

/** `2026-01-31 12:00:00Z`, without fractions of seconds. */
function instant(iso: string): string {
  return iso.replace("T", " ").replace(/\.\d+Z$/, "Z");
}
