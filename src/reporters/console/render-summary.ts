/**
 * The summary at the end of a run, for people: steps by status, failures, warnings, and the commands that print artifacts and resume the
 * run. Pure.
 */

import { decidingAttempt } from "../../core/deciding-attempt.ts";
import { describeContract } from "../../core/describe-contract.ts";
import { passedUnchecked } from "../../core/empty-output.ts";
import { describeFailure } from "../../core/failures.ts";
import type { RunRecord, StepRecord, StepStatus } from "../../core/state.ts";
import { totalUsage, usageText } from "../../core/usage.ts";
import { padded, printable } from "../../text/printable.ts";
import { formatDuration, formatSize } from "../../text/quantity.ts";
import { changesText, ignoredText } from "./changes-text.ts";
import { detailLines, failureTitle } from "./failure-lines.ts";
import { type Palette, paletteOf, sign } from "./palette.ts";
import { originNote } from "./render-artifacts.ts";
import { ruleLines } from "./render-plan-actions.ts";

export interface SummaryOptions {
  readonly color: boolean;
  /** How to resume the run: a command, or an instruction. */
  readonly resume: string;
  /** Returns a command about this project that works as printed. Without it, artifacts are listed with their digests. */
  readonly command?: (args: readonly string[]) => string;
  /** Steps whose last failure was printed in full above the summary. Defaults to none. */
  readonly printedFailures?: ReadonlySet<string>;
  /** Permission rules that were not enforced, each with its steps. Defaults to none. */
  readonly unenforced?: ReadonlyMap<string, readonly string[]>;
}

/** The most passed steps and artifacts that are listed by name. */
const maxListed = 50;

const plainCommand = (args: readonly string[]) => ["wave", ...args].join(" ");

/** The summary. Ends in a line break. */
export function renderSummary(run: RunRecord, options: SummaryOptions): string {
  const paint = paletteOf(options.color);
  const blocks = [
    [title(run, paint), ...counts(run)],
    retried(run, paint),
    run.steps
      .filter(({ status }) => status === "failed" || status === "cancelled")
      .flatMap((step) => stoppedLines(run.id, step, options, paint)),
    skippedLines(run, paint),
    warningLines(run, paint),
    unenforcedLines(options.unenforced, paint),
    artifactLines(run, options.command, paint),
    [...changedLines(run, options.command ?? plainCommand), ...ignoredLines(run)],
    run.failure === undefined || run.failure.reason === "run-failed" || run.failure.reason === "cancelled"
      ? []
      : [failureTitle(run.failure), ...detailLines(describeFailure(run.failure), 2, paint)],
    run.status === "passed" ? [] : [`${paint.bold("to resume:")} ${options.resume}`],
  ];
  return `\n${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`;
}

function title(run: RunRecord, paint: Palette): string {
  const name = printable(run.version === undefined ? run.pipeline : `${run.pipeline}@${run.version}`);
  const time = run.durationMs === undefined ? "" : ` in ${formatDuration(run.durationMs)}`;
  const total = totalUsage(run.steps.flatMap(({ attempts }) => attempts.map(({ usage }) => usage)));
  const used = total === undefined ? "" : `, ${usageText(total)}`;
  return `${sign(run.status, paint)} ${paint.bold(`${name} ${run.status}`)}${time}${used} ${paint.dim(`run ${run.id}`)}`;
}

function counts(run: RunRecord): string[] {
  const order: readonly StepStatus[] = ["failed", "cancelled", "skipped", "running", "pending"];
  const reused = run.steps.filter(({ reusedFrom }) => reusedFrom !== undefined).length;
  const passed = run.steps.filter(({ status }) => status === "passed");
  const names = passed.length > maxListed ? "" : `: ${passed.map(({ id }) => printable(id)).join(", ")}`;
  const first = passed.length === 0 ? [] : [`  ${passed.length} passed${reused > 0 ? ` (${reused} reused)` : ""}${names}`];
  const others = order
    .map((status) => ({ status, count: run.steps.filter((step) => step.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${status}`);
  const unchecked = run.steps.filter(passedUnchecked);
  const warning =
    unchecked.length === 0 ? [] : [`  unchecked (neither artifact nor contract): ${unchecked.map(({ id }) => printable(id)).join(", ")}`];
  return [...first, ...(others.length === 0 ? [] : [`  ${others.join(", ")}`]), ...warning];
}

/** Steps that passed after a failed attempt. */
function retried(run: RunRecord, paint: Palette): string[] {
  return run.steps.flatMap((step) => {
    const failed = step.attempts.filter(({ status }) => status === "failed");
    if (step.status !== "passed" || failed.length === 0) return [];
    return [
      `${sign("waiting", paint)} ${printable(step.id)} passed at attempt ${decidingAttempt(step)?.attempt ?? step.attempts.length}`,
      ...failed.map(({ attempt, failure }) => `  attempt ${attempt}: ${failure === undefined ? "failed" : failureTitle(failure)}`),
    ];
  });
}

/** A failed or cancelled step. A failure that was printed above is repeated by its title alone. */
function stoppedLines(
  runId: string,
  step: StepRecord,
  { command = plainCommand, printedFailures }: SummaryOptions,
  paint: Palette,
): string[] {
  const tries = step.attempts.length > 1 ? ` after ${step.attempts.length} attempts` : "";
  const optional = step.optional && step.status === "failed" ? " (optional: the run may pass without it)" : "";
  const lead = `${sign(step.status, paint)} ${paint.bold(printable(step.id))} ${step.status}${tries}${optional}`;
  if (step.failure === undefined || (step.status === "cancelled" && step.failure.reason === "cancelled")) return [lead];
  const title = `  ${failureTitle(step.failure)}`;
  if (printedFailures?.has(step.id) !== true) return [lead, title, ...detailLines(describeFailure(step.failure), 4, paint)];
  const log = step.attempts.length === 0 ? [] : [`  details above; log: ${printable(command(["logs", step.id, "--run", runId]))}`];
  return [lead, title, ...log];
}

function skippedLines(run: RunRecord, paint: Palette): string[] {
  return run.steps
    .filter(({ status }) => status === "skipped")
    .map(
      ({ id, because }) => `${sign("skipped", paint)} ${printable(id)} skipped${because === undefined ? "" : `: ${printable(because)}`}`,
    );
}

/** Contracts with `on_failure: warn` that did not pass. */
function warningLines(run: RunRecord, paint: Palette): string[] {
  return run.steps.flatMap((step) => {
    const results = step.status === "passed" ? (decidingAttempt(step)?.contracts ?? []) : [];
    return results
      .filter(({ verdict }) => verdict !== "pass")
      .flatMap((result) => {
        const described = describeContract(result);
        return [`${paint.yellow("warning:")} ${printable(step.id)}: ${printable(described.title)}`, ...detailLines(described, 4, paint)];
      });
  });
}

/** The artifacts of passed steps, each with the command that prints it. */
function artifactLines(run: RunRecord, command: SummaryOptions["command"], paint: Palette): string[] {
  const made = run.steps
    .filter(({ status }) => status === "passed")
    .flatMap((step) => step.artifacts.map((artifact) => ({ step: step.id, artifact })));
  if (made.length === 0) return [];
  const counts = new Map<string, number>();
  for (const { artifact } of made) counts.set(artifact.name, (counts.get(artifact.name) ?? 0) + 1);
  const nameOf = ({ step, artifact: { name } }: (typeof made)[number]) => printable((counts.get(name) ?? 0) > 1 ? `${step}/${name}` : name);
  const width = Math.min(40, Math.max(...made.map((one) => nameOf(one).length)));
  const shown = made.slice(0, maxListed);
  const source = ({ step, artifact: { name, digest } }: (typeof made)[number]) => command?.(["artifacts", run.id, step, name]) ?? digest;
  return [
    paint.bold("artifacts"),
    ...shown.map(
      (one) =>
        `  ${padded(nameOf(one), width)}  ${padded(formatSize(one.artifact.size), 9)}  ${paint.dim(printable(source(one)))}${originNote(one.artifact)}`,
    ),
    ...(made.length > shown.length ? [`  and ${made.length - shown.length} more: ${(command ?? plainCommand)(["status", run.id])}`] : []),
  ];
}

function unenforcedLines(rules: SummaryOptions["unenforced"], paint: Palette): string[] {
  return rules === undefined || rules.size === 0 ? [] : [paint.yellow("not enforced"), ...ruleLines(rules)];
}

/** Whether the project contains the changes, and the command that reverts or applies them. */
function changedLines({ id, changes, applied, status }: RunRecord, command: (args: readonly string[]) => string): string[] {
  if (changes === undefined) return [];
  if (applied) return [`${changesText(changes)} applied to the project; to revert: ${command(["rollback", id])}`];
  if (status !== "passed") return [];
  return [`${changesText(changes)} not applied to the project; to apply: \`${command(["artifacts", id, "--patch"])} | git apply\``];
}

function ignoredLines({ steps }: RunRecord): string[] {
  return steps.flatMap(({ id, changes }) => (changes?.ignored === undefined ? [] : [`${printable(id)}: ${ignoredText(changes)}`]));
}
