/** `wave status` for people: a table of runs, or one run with its steps, attempts, verdicts and artifacts. Pure. */

import { describeContract } from "../../core/describe-contract.ts";
import type { ContractResult } from "../../core/failure.ts";
import { describeFailure } from "../../core/failures.ts";
import { isRolledBack, rollbackCommandOf } from "../../core/rolled-back.ts";
import type { AttemptRecord, RunRecord, RunSummary, StepRecord, StepStatus } from "../../core/state.ts";
import { totalUsage, usageText } from "../../core/usage.ts";
import { cellWidth, padded, printable } from "../../text/printable.ts";
import { formatDuration, formatSize } from "../../text/quantity.ts";
import { changesText, ignoredText } from "./changes-text.ts";
import { detailLines, failureTitle } from "./failure-lines.ts";
import { colorOf, type Palette, paletteOf, sign } from "./palette.ts";
import { originNote } from "./render-artifacts.ts";

export interface StatusOptions {
  readonly color: boolean;
  /** The exact command that goes on with the run (default: `wave resume` and its id). */
  readonly resume?: string;
}

/** Runs as a table, in the order given. Ends in a line break. */
export function renderRuns(runs: readonly RunSummary[], { color }: StatusOptions): string {
  if (runs.length === 0) return "no runs yet: `wave run` starts one\n";
  const paint = paletteOf(color);
  const rows = runs.map((run) => [
    run.id,
    printable(run.version === undefined ? run.pipeline : `${run.pipeline}@${run.version}`),
    `${sign(run.status, paint)} ${run.status}${noteOf(run)}`,
    instant(run.startedAt),
    run.durationMs === undefined ? "" : formatDuration(run.durationMs),
    `${stepCounts(run.steps)}${run.archived ? " (archived)" : ""}`,
  ]);
  const head = ["RUN", "PIPELINE", "STATUS", "STARTED", "TOOK", "STEPS"];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => cellWidth(unpainted(row[column] ?? "")))));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - cellWidth(unpainted(cell)))))
      .join("  ")
      .trimEnd();
  return `${[paint.bold(line(head)), ...rows.map(line)].join("\n")}\n`;
}

function noteOf({ rolledBack, rollback }: RunSummary): string {
  if (rollback !== undefined) return rollback === "running" ? " (rolling back)" : " (rollback interrupted)";
  return rolledBack === true ? " (rolled back)" : "";
}

/** One run in full. Ends in a line break. */
export function renderRun(run: RunRecord, { color, resume = `wave resume ${run.id}` }: StatusOptions): string {
  const paint = paletteOf(color);
  const name = printable(run.version === undefined ? run.pipeline : `${run.pipeline}@${run.version}`);
  const took = run.durationMs === undefined ? "" : `, took ${formatDuration(run.durationMs)}`;
  const lines = [
    `${sign(run.status, paint)} ${paint.bold(name)} ${colorOf(run.status, paint)(run.status)} ${paint.dim(`run ${run.id}`)}`,
    paint.dim(`  started ${instant(run.startedAt)}${took}`),
    ...(run.failure === undefined ? [] : [`  ${failureTitle(run.failure)}`]),
    ...(run.archived === true ? ["  archived: its journals are gone, and this is what is left of it"] : []),
    ...usageLines(run),
    ...projectLines(run),
    ...run.steps.flatMap((step) => stepLines(step, paint)),
    ...(run.alerts ?? []).map((alert) => alertLine(alert, paint)),
    ...closing(run, resume, paint),
  ];
  return `${lines.join("\n")}\n`;
}

/** What its models were asked for, all attempts together. */
function usageLines({ steps }: RunRecord): string[] {
  const total = totalUsage(steps.flatMap(({ attempts }) => attempts.map(({ usage }) => usage)));
  return total === undefined ? [] : [`  ${usageText(total)}`];
}

/** What the project has of the run; where it has nothing, what it could have. */
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

function closing(run: RunRecord, resume: string, paint: Palette): string[] {
  // Nobody can go on with it.
  if (run.archived === true) return [];
  if (run.openRollback !== undefined && run.openRollback.running !== true) {
    return [`${paint.bold("to complete the rollback:")} ${rollbackCommandOf(run)}`];
  }
  switch (run.status) {
    case "passed":
      return isRolledBack(run) ? [`${paint.bold("to run its steps again:")} ${resume}`] : [];
    case "running":
      return [paint.dim(`process ${run.writer.pid} on ${run.writer.host} is at work`)];
    case "pending":
      return [`parts of it passed; ${paint.bold("to go on:")} ${resume}`];
    case "interrupted":
      return [`the process that ran it died; ${paint.bold("to go on:")} ${resume}`];
    case "failed":
    case "cancelled":
      return [`${paint.bold("to go on:")} ${resume}`];
  }
}

function alertLine({ alert, reason, subject, outcome, because }: NonNullable<RunRecord["alerts"]>[number], paint: Palette): string {
  const what = `${reason}${subject === "" ? "" : ` ${printable(subject)}`}`;
  return `  alert ${printable(alert)} ${outcome === "sent" ? "sent" : "not sent"}: ${what}${because === undefined ? "" : paint.dim(` ${printable(because)}`)}`;
}

function stepLines(step: StepRecord, paint: Palette): string[] {
  const after = step.dependencies.length === 0 ? "" : paint.dim(` after ${step.dependencies.map(printable).join(", ")}`);
  const reused =
    step.reusedFrom === undefined ? "" : paint.dim(` reused from run ${step.reusedFrom.run}, attempt ${step.reusedFrom.attempt}`);
  const because = step.because === undefined ? "" : ` (${printable(step.because)})`;
  const untold =
    step.failure !== undefined && step.attempts.at(-1)?.failure === undefined
      ? [`    ${failureTitle(step.failure)}`, ...detailLines(describeFailure(step.failure), 6, paint)]
      : [];
  return [
    `  ${sign(step.status, paint)} ${paint.bold(printable(step.id))} ${step.status}${because}${reused} ${paint.dim(printable(step.persona))}${after}`,
    ...step.attempts.flatMap((attempt) => attemptLines(attempt, paint)),
    ...untold,
    ...(step.changes?.ignored === undefined ? [] : [`    ${ignoredText(step.changes)}`]),
    ...step.artifacts.map(
      (artifact) =>
        `    ${padded(printable(artifact.name), 20)}  ${padded(formatSize(artifact.size), 9)}  ${paint.dim(artifact.digest)}${originNote(artifact)}`,
    ),
  ];
}

function attemptLines(attempt: AttemptRecord, paint: Palette): string[] {
  const took = attempt.durationMs === undefined ? "" : ` ${formatDuration(attempt.durationMs)}`;
  const model = attempt.model === undefined ? "" : ` ${printable(attempt.model)}`;
  const used = attempt.usage === undefined ? "" : `, ${usageText(attempt.usage)}`;
  const contracts = new Set(attempt.contracts.map(({ name }) => name));
  // A failed contract is told with its verdict below; the failure would only repeat it.
  const failure =
    attempt.failure === undefined ||
    (attempt.failure.reason === "contract-failed" && attempt.failure.contracts.every(({ name }) => contracts.has(name)))
      ? undefined
      : attempt.failure;
  return [
    `    ${sign(attempt.status, paint)} attempt ${attempt.attempt} ${attempt.status}${attempt.rolledBack === true ? ", undone" : ""}${took} ${paint.dim(`${attempt.adapter}${model}${used}`)}`,
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

/** `2026-01-31 12:00:00Z`: the second is enough for a reader. */
function instant(iso: string): string {
  return iso.replace("T", " ").replace(/\.\d+Z$/, "Z");
}

function unpainted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the palette's own colour codes
  return text.replace(/\u001b\[[0-9;]*m/g, "");
}
