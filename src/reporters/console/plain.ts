/**
 * Prints a run as plain lines, for CI and logs. The output of a step is shown if its attempt failed, with `verbose`, and always on GitHub,
 * where each attempt has its own group, so that the output of parallel steps does not mix.
 */

import { type EventOf, isOutsideEvent, type OutsideEvent, type WaveEvent } from "../../core/event.ts";
import type { ContractResult, Failure } from "../../core/failure.ts";
import { renameHint } from "../../core/failure-kind.ts";
import { describeFailure } from "../../core/failures.ts";
import type { Reporter } from "../../core/ports.ts";
import { countViolations } from "../../core/violation-count.ts";
import { printable } from "../../text/printable.ts";
import { counted, formatDuration } from "../../text/quantity.ts";
import { withoutRunnerCommands } from "../../text/runner-text.ts";
import { workflowCommand } from "../../text/workflow-command.ts";
import { changesText } from "./changes-text.ts";
import { detailLines, failureTitle, quotesOutput } from "./failure-lines.ts";
import { outputBuffer } from "./output-buffer.ts";
import { type Palette, paletteOf, sign } from "./palette.ts";

export interface PlainOptions {
  readonly write: (text: string) => void;
  /** Writes a workflow command, with `groups`; defaults to `write`. */
  readonly writeControl?: (text: string) => void;
  readonly color: boolean;
  /** Print each attempt's output as a group of GitHub's log viewer. */
  readonly groups: boolean;
  /** Show the output of steps at once; with `groups`, when the attempt ends. */
  readonly verbose: boolean;
  /** Receives the ids of steps whose last failure was printed in full. */
  readonly printedFailures?: Set<string>;
}

/** Lines at the end of a failed attempt's output that are shown without `verbose`. */
const tailLines = 20;

/** Writes lines for each event. */
export function plainReporter(options: PlainOptions): Reporter {
  const { write, writeControl = write, color, groups, verbose, printedFailures = new Set() } = options;
  const paint = paletteOf(color);
  const buffer = outputBuffer();
  /** Step id → reason of its last printed failure. */
  const lastReasons = new Map<string, string>();
  const print = (lines: readonly string[]) => {
    if (lines.length > 0) write(`${lines.map((line) => (groups ? withoutRunnerCommands(line) : line)).join("\n")}\n`);
  };
  const printOutput = (step: string, lines: readonly string[]) =>
    print(lines.map((line) => `${paint.dim(`${printable(step)} │`)} ${line}`));

  const endAttempt = (event: EventOf<"attempt-passed" | "attempt-failed" | "attempt-cancelled">) => {
    const { lines, dropped, unfinished } = buffer.take(keyOf(event));
    const failure = event.type === "attempt-failed" ? event.failure : undefined;
    if (failure !== undefined) {
      printedFailures.add(event.step);
      lastReasons.set(event.step, failure.reason);
    }
    if (verbose && !groups) printOutput(event.step, unfinished);
    const cut = dropped > 0 ? [`│ ... ${dropped} earlier lines are not shown; \`wave logs ${event.step}\` prints them`] : [];
    if (groups && lines.length > 0) {
      writeControl(`${workflowCommand("group", {}, `${printable(event.step)}: output of attempt ${event.attempt}`)}\n`);
      print([...cut, ...lines.map((line) => `│ ${line}`)]);
      writeControl(`${workflowCommand("endgroup", {}, "")}\n`);
    }
    print(attemptLines(event, paint));
    if (failure !== undefined && !quotesOutput(failure)) {
      const last = lines.slice(-tailLines);
      if (!verbose && !groups) print(last.map((line) => `    ${paint.dim(`│ ${line}`)}`));
      print(detailLines({ title: "", detail: [], ...renameHint(last.join("\n")) }, 4, paint));
    }
  };

  /** Whether the end of a step has the failure of its last attempt, which is printed already. */
  const isPrinted = (event: WaveEvent) => {
    if (event.type !== "step-finished" || event.status !== "failed") return false;
    const reason = lastReasons.get(event.step);
    return reason !== undefined && (event.failure?.reason ?? reason) === reason;
  };

  return {
    name: "plain",
    onEvent(event) {
      if (event.type === "attempt-passed" || event.type === "attempt-failed" || event.type === "attempt-cancelled") endAttempt(event);
      else if (!isPrinted(event)) {
        if (event.type === "step-finished" && event.failure !== undefined) printedFailures.add(event.step);
        print(eventLines(event, paint, groups));
      }
    },
    onOutput({ step, attempt, text }) {
      const lines = buffer.push(keyOf({ step, attempt }), text);
      if (verbose && !groups) printOutput(step, lines);
    },
    close: async () => {},
  };
}

function keyOf({ step, attempt }: { readonly step: string; readonly attempt: number }): string {
  return `${step} ${attempt}`;
}

/** Journals of earlier versions name neither the contract nor its steps. */
function circuitResetLine({ contract, steps = [] }: EventOf<"circuit-reset">): string {
  if (contract === undefined) return "a circuit breaker was reset; its contract counts from zero";
  const owner = steps.length === 0 ? "" : ` of ${steps.length === 1 ? "step" : "steps"} ${steps.map(printable).join(", ")}`;
  return `circuit breaker reset: contract \`${printable(contract)}\`${owner} counts from zero`;
}

function eventLines(event: WaveEvent, paint: Palette, groups: boolean): string[] {
  if (isOutsideEvent(event)) return [outsideLine(event, paint)];
  switch (event.type) {
    case "run-started": {
      const name = printable(event.version === undefined ? event.pipeline : `${event.pipeline}@${event.version}`);
      return [`${paint.bold(name)} ${paint.dim(`run ${event.run} · ${counted(event.nodes.length, "step")}`)}`];
    }
    case "run-resumed":
      return [`${paint.bold("resumed")} ${paint.dim(`run ${event.run}`)}`];
    case "step-reused":
      return [`${sign("passed", paint)} ${printable(event.step)} reused ${paint.dim(`from run ${event.from.run}`)}`];
    case "attempt-started":
      return [
        `${sign("running", paint)} ${printable(event.step)} started ${paint.dim(`${printable(event.persona)}${event.attempt > 1 ? `, attempt ${event.attempt}` : ""}`)}`,
      ];
    case "contract-checked":
      return [contractLine(event.step, event.result, paint)];
    case "step-finished":
      return stepLines(event, paint);
    case "circuit-opened":
      return [
        `${sign("failed", paint)} circuit open: contract \`${printable(event.contract)}\` failed ${event.failed} of the last ${event.window} attempts`,
      ];
    case "circuit-reset":
      return [circuitResetLine(event)];
    case "run-finished":
      // The summary follows at once, except on GitHub, where uploads and reports come first.
      return groups ? [`${sign(event.status, paint)} run ${event.status} after ${formatDuration(event.durationMs)}`] : [];
    case "changes-merged":
      return event.apply ? [] : [`${changesText(event.changes)} not applied to the project`];
    case "changes-applied":
      return [`${changesText(event.changes)} applied to the project`];
    case "rollback-started":
      return ["a rollback started"];
    case "changes-undone":
      return [`${changesText(event.changes)} reverted in the project`];
    case "step-reopened":
      return [`${printable(event.step)} runs again ${paint.dim(printable(event.because))}`];
    case "steps-rolled-back":
      return [`rolled back to ${printable(event.to)}: ${event.steps.map(printable).join(", ")} reverted`];
    case "attempt-passed":
    case "attempt-failed":
    case "attempt-cancelled":
    case "writer-opened":
    case "writer-closed":
      return [];
  }
}

function outsideLine(event: OutsideEvent, paint: Palette): string {
  if (event.type === "alert-sent")
    return `alert ${printable(event.alert)} sent: ${printable(event.reason)} ${paint.dim(printable(event.subject))}`;
  if (event.type === "alert-failed")
    return `${sign("waiting", paint)} alert ${printable(event.alert)} (${printable(event.reason)}) was not sent: ${printable(event.because)}`;
  const what = `${printable(event.artifact)} as ${event.kind.replace("pr_", "pull request ")}`;
  if (event.type === "published") return `${sign("passed", paint)} published ${what} ${paint.dim(printable(event.url))}`;
  return `${sign(event.optional ? "skipped" : "waiting", paint)} ${what} was not published: ${printable(event.because)}`;
}

function contractLine(step: string, { name, verdict, violations, onFailure }: ContractResult, paint: Palette): string {
  const total = countViolations(violations);
  const count = verdict === "pass" ? "" : `: ${counted(total, "violation")}${onFailure === "warn" ? " (only a warning)" : ""}`;
  const words = { pass: "passed", fail: "failed", error: "could not be evaluated" }[verdict];
  return `  ${sign(verdict, paint)} ${printable(step)}: contract \`${printable(name)}\` ${words}${count}`;
}

function attemptLines(event: EventOf<"attempt-passed" | "attempt-failed" | "attempt-cancelled">, paint: Palette): string[] {
  const step = printable(event.step);
  const time = paint.dim(formatDuration(event.durationMs));
  const which = event.attempt > 1 ? ` at attempt ${event.attempt}` : "";
  switch (event.type) {
    case "attempt-passed":
      return [`${sign("passed", paint)} ${step} passed${which} ${time}`];
    case "attempt-cancelled":
      return [`${sign("cancelled", paint)} ${step} cancelled${which} ${time}`];
    case "attempt-failed": {
      const again =
        event.retry === undefined
          ? []
          : [
              `${sign("waiting", paint)} ${step} tries again (attempt ${event.retry.attempt})${event.retry.delayMs > 0 ? ` in ${formatDuration(event.retry.delayMs)}` : ""}`,
            ];
      return [`${sign("failed", paint)} ${step} failed${which} ${time}`, ...failureLines(event.failure, paint), ...again];
    }
  }
}

function stepLines({ step, status, failure, because }: EventOf<"step-finished">, paint: Palette): string[] {
  if (status === "passed") return [];
  const why = because === undefined ? "" : `: ${printable(because)}`;
  return [`${sign(status, paint)} ${printable(step)} ${status}${why}`, ...(failure === undefined ? [] : failureLines(failure, paint))];
}

function failureLines(failure: Failure, paint: Palette): string[] {
  return [`    ${failureTitle(failure)}`, ...detailLines(describeFailure(failure), 4, paint)];
}
