/** Renders a trace for people: a tree with times and bars on a common axis, as wide as the terminal. Pure. */

import { defined } from "../../core/defined.ts";
import { usageText } from "../../core/usage.ts";
import { changesText } from "../../reporters/console/changes-text.ts";
import { colorOf, type Palette, paletteOf, type SignName, sign } from "../../reporters/console/palette.ts";
import { cellWidth, fit, padded, printable } from "../../text/printable.ts";
import { counted, formatDuration } from "../../text/quantity.ts";
import { type Timeline, timelineOf } from "./timeline.ts";
import type { Span, Trace, TraceAttempt, TraceCheck, TraceProcess, TraceStep, WorkOrigin } from "./trace.ts";

export interface TraceStyle {
  readonly color: boolean;
  /** The width of the terminal. */
  readonly columns: number;
}

/** One line of the table. A line with a span shows no `note`. */
interface Row {
  readonly depth: number;
  readonly sign?: SignName;
  readonly name: string;
  readonly bold?: boolean;
  readonly span?: Span;
  readonly waitMs?: number;
  /** The part of the wait before the span. */
  readonly leadMs?: number;
  readonly tookMs?: number;
  readonly critical?: boolean;
  readonly note?: string;
}

const timeWidth = 7;
/** Columns. If fewer are left, no bars are drawn. */
const barMinimum = 10;
const nameLimits = { least: 16, most: 44 } as const;

/** The trace as text. Ends in a line break. */
export function renderTrace(trace: Trace, { color, columns }: TraceStyle): string {
  const paint = paletteOf(color);
  const rows = trace.steps.flatMap(stepRows);
  const longest = Math.max(...rows.filter(({ span }) => span !== undefined).map(({ name, depth }) => cellWidth(name) + 2 * depth + 2), 0);
  const timesWidth = 3 * (timeWidth + 1);
  const nameWidth = Math.max(nameLimits.least, Math.min(longest, nameLimits.most, Math.floor(columns * 0.45), columns - timesWidth));
  const barWidth = columns - nameWidth - timesWidth - 1;
  const timeline = barWidth < barMinimum ? undefined : timelineOf(trace, barWidth);
  const head = [padded("STEP", nameWidth), ...["START", "WAIT", "TOOK"].map((title) => title.padStart(timeWidth))].join(" ");
  const lines = [
    ...headLines(trace, paint, columns),
    "",
    paint.bold(head),
    ...rows.map((row) => rowLine(row, { paint, nameWidth, columns, ...defined({ timeline }) })),
    ...(timeline === undefined || longest === 0 ? [] : ["", paint.dim(fit("█ critical path  ▒ other steps  · ready, waiting", columns))]),
  ];
  return `${lines.join("\n")}\n`;
}

function headLines(trace: Trace, paint: Palette, columns: number): string[] {
  const name = printable(trace.version === undefined ? trace.pipeline : `${trace.pipeline}@${trace.version}`);
  const { steps, durationMs } = trace.criticalPath;
  const started = trace.startedAt.replace("T", " ").replace(/\.\d+Z$/, "Z");
  const worked = trace.processes.length === 0 ? "" : `, ${formatDuration(timelineOf(trace, 1).workedMs)} of work`;
  const path = `  critical path ${formatDuration(durationMs)}: ${steps.map(printable).join(" → ")}`;
  return [
    `${sign(trace.status, paint)} ${paint.bold(name)} ${colorOf(trace.status, paint)(trace.status)} ${paint.dim(`run ${trace.run}`)}`,
    paint.dim(fit(`  started ${started}${worked}`, columns)),
    ...(trace.processes.length < 2 ? [] : trace.processes.map((process) => paint.dim(fit(processLine(process), columns)))),
    ...(steps.length === 0 ? [] : [fit(path, columns)]),
    ...(trace.processes.length === 0
      ? [paint.dim(fit("  its journals no longer exist; `wave status` shows the stored record", columns))]
      : []),
  ];
}

function processLine({ pid, host, role, startMs, endMs, closed }: TraceProcess): string {
  const ending = closed ? "" : ", ended without closing its journal";
  return `  ${role} at +${formatDuration(startMs)} by process ${pid} on ${printable(host)}, ${formatDuration(endMs - startMs)}${ending}`;
}

function stepRows(step: TraceStep): Row[] {
  const { id, status, startMs, endMs, because, reusedFrom, attempts, critical } = step;
  const note = reusedFrom === undefined ? (because ?? (startMs === undefined ? status : undefined)) : originText("reused from", reusedFrom);
  const only = attempts.length === 0 ? leftText(step) : "";
  const notes = [note, only].filter((text) => text !== undefined && text !== "").join(", ");
  const measured = attempts.length > 0 && startMs !== undefined && endMs !== undefined;
  return [
    {
      depth: 0,
      sign: status,
      name: printable(id),
      bold: true,
      critical,
      ...(measured ? { span: { startMs, endMs }, waitMs: step.waitMs, leadMs: attempts[0]?.waitMs ?? 0, tookMs: step.workedMs } : {}),
      ...(notes === "" ? {} : { note: notes }),
    },
    ...attempts.flatMap((attempt) => attemptRows(attempt, critical)),
  ];
}

function attemptRows(attempt: TraceAttempt, critical: boolean): Row[] {
  const { status, adapter, model, waitMs, durationMs, rolledBack, rechecked, failure } = attempt;
  const by = model === undefined ? adapter : `${adapter} ${model}`;
  const notes = [
    failure ?? (status === "passed" ? "" : status),
    leftText(attempt),
    attempt.usage === undefined ? "" : usageText(attempt.usage),
    rechecked === undefined ? "" : originText("checked again: result of", rechecked),
    rolledBack === true ? "rolled back" : "",
  ].filter((text) => text !== "");
  return [
    {
      depth: 1,
      sign: status,
      name: printable(`attempt ${attempt.attempt} ${by}`),
      span: attempt,
      waitMs,
      tookMs: durationMs,
      critical,
    },
    ...(notes.length === 0 ? [] : [{ depth: 2, name: "", note: notes.join(", ") }]),
    ...attempt.checks.map((check) => checkRow(check, critical)),
  ];
}

function checkRow({ name, verdict, durationMs, ...span }: TraceCheck, critical: boolean): Row {
  return { depth: 2, sign: verdict, name: printable(name), span, tookMs: durationMs, critical };
}

function originText(words: string, { run, attempt }: WorkOrigin): string {
  return `${words} run ${run}, attempt ${attempt}`;
}

function leftText({ artifacts, changes }: Pick<TraceStep, "artifacts" | "changes">): string {
  const made = artifacts === 0 ? [] : [counted(artifacts, "artifact")];
  return [...made, ...(changes === undefined ? [] : [changesText(changes)])].join(", ");
}

interface Layout {
  readonly paint: Palette;
  readonly nameWidth: number;
  readonly columns: number;
  readonly timeline?: Timeline;
}

function rowLine(row: Row, { paint, nameWidth, columns, timeline }: Layout): string {
  const lead = " ".repeat(2 * row.depth);
  const mark = row.sign === undefined ? "  " : `${sign(row.sign, paint)} `;
  const note = row.note === undefined ? "" : printable(row.note);
  if (row.span === undefined) {
    const plain = fit(row.name === "" ? note : `${row.name}  ${note}`, columns - lead.length - 2);
    return `${lead}${mark}${paint.bold(plain.slice(0, row.name.length))}${paint.dim(plain.slice(row.name.length))}`.trimEnd();
  }
  const room = nameWidth - lead.length - 2;
  const name = padded(fit(row.name, room), room);
  const times = [row.span.startMs, row.waitMs, row.tookMs].map((ms, at) => timeText(ms, at === 0).padStart(timeWidth)).join(" ");
  const bar = timeline?.bar(row.span, row.leadMs ?? 0, row.critical === true ? "█" : "▒");
  const ink = row.critical === true ? paint.yellow : paint.cyan;
  const drawn = bar === undefined ? "" : `${bar.lead}${paint.dim(bar.wait)}${ink(bar.fill)}`;
  return `${lead}${mark}${row.bold === true ? paint.bold(name) : name} ${times} ${drawn}`.trimEnd();
}

function timeText(ms: number | undefined, offset: boolean): string {
  if (ms === undefined) return "";
  return `${offset ? "+" : ""}${formatDuration(ms)}`;
}
