/**
 * One frame of the live view. Pure: the view, the time, the terminal's size and whether to colour give the text. Every line
 * fits the width and all lines fit the height; steps that are done are folded together first, then those that wait.
 */
import { describeFailure } from "../../core/failures.ts";
import { cellWidth, fit, padded, printable } from "../../text/printable.ts";
import { counted, formatDuration } from "../../text/quantity.ts";
import { colorOf, type Palette, paletteOf, sign } from "./palette.ts";
import type { RunView, StepView } from "./run-view.ts";

export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

/** Milliseconds that one picture of the spinner stands. */
export const spinnerInterval = 80;

const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** Deeper steps are not indented further: the line is for the step. */
const maxIndent = 8;

/** The frame, without a line break at its end. `now` is milliseconds since the epoch. */
export function renderFrame(view: RunView, now: number, size: FrameSize, color: boolean): string {
  const paint = paletteOf(color);
  const width = Math.max(20, size.columns - 1);
  const steps = [...view.steps.values()];
  // The cursor stands on a line of its own below the frame; header and footer take two.
  const rows = foldSteps(steps, Math.max(1, size.rows - 3));
  const label = Math.min(
    40,
    Math.floor(width / 2),
    Math.max(8, ...rows.map((row) => (row.kind === "step" ? indentOf(row.step) + cellWidth(row.step.id) : 0))),
  );
  const lines = rows.map((row) =>
    row.kind === "step" ? stepLine(row.step, now, width, label, paint) : paint.dim(fit(`${row.sign} ${row.text}`, width)),
  );
  return [header(view, now, width, paint), ...lines, fit(footer(steps), width)].join("\n");
}

type Row = { readonly kind: "step"; readonly step: StepView } | { readonly kind: "fold"; readonly sign: string; readonly text: string };

/** Folds steps that ask for no attention until the rest fits; what still does not fit is counted. */
function foldSteps(steps: readonly StepView[], limit: number): Row[] {
  const all = steps.map((step): Row => ({ kind: "step", step }));
  if (all.length <= limit) return all;
  const passed = steps.filter(({ status }) => status === "passed");
  const open = steps.filter(({ status }) => status !== "passed");
  const fold = (count: number, glyph: string, text: string): Row[] =>
    count === 0 ? [] : [{ kind: "fold", sign: glyph, text: `${counted(count, "step")} ${text}` }];
  const done = fold(passed.length, "✓", "passed");
  if (done.length + open.length <= limit) return [...done, ...open.map((step): Row => ({ kind: "step", step }))];
  const busy = open.filter(({ status }) => status !== "pending" && status !== "skipped");
  const idle = fold(open.length - busy.length, "○", "still to come or skipped");
  const room = Math.max(0, limit - done.length - idle.length);
  if (busy.length <= room) return [...done, ...busy.map((step): Row => ({ kind: "step", step })), ...idle];
  const shown = Math.max(0, room - 1);
  return [
    ...done,
    ...busy.slice(0, shown).map((step): Row => ({ kind: "step", step })),
    ...fold(busy.length - shown, "▶", "more at work"),
    ...idle,
  ].slice(0, limit);
}

function header(view: RunView, now: number, width: number, paint: Palette): string {
  const name = printable(view.version === undefined ? view.pipeline : `${view.pipeline}@${view.version}`);
  const elapsed = view.durationMs ?? (view.startedAt === undefined ? undefined : Math.max(0, now - view.startedAt));
  const rest = [...(view.run === undefined ? [] : [`run ${view.run}`]), ...(elapsed === undefined ? [] : [formatDuration(elapsed)])].join(
    " · ",
  );
  const title = fit(name, width);
  return `${paint.bold(title)} ${paint.dim(fit(rest, Math.max(0, width - cellWidth(title) - 1)))}`.trimEnd();
}

function stepLine(step: StepView, now: number, width: number, label: number, paint: Palette): string {
  const glyph =
    step.status === "running" ? paint.cyan(spinner[Math.floor(now / spinnerInterval) % spinner.length] ?? "") : sign(step.status, paint);
  const indent = indentOf(step);
  const name = padded(fit(printable(step.id), Math.max(4, label - indent)), label - indent);
  const lead = `${" ".repeat(indent)}${name}`;
  const room = width - cellWidth(lead) - 3;
  const told = step.status === "pending" || step.status === "skipped" ? paint.dim : (text: string) => text;
  return `${" ".repeat(indent)}${glyph} ${told(name)} ${spread(parts(step, now, paint), room)}`.trimEnd();
}

interface Part {
  readonly text: string;
  readonly tint: (text: string) => string;
}

function parts(step: StepView, now: number, paint: Palette): Part[] {
  const plain = (text: string) => text;
  const told: Part[] = [];
  const elapsed =
    step.durationMs ?? (step.status === "running" && step.startedAt !== undefined ? Math.max(0, now - step.startedAt) : undefined);
  if (elapsed !== undefined) told.push({ text: formatDuration(elapsed), tint: paint.dim });
  if (step.attempt > 1) told.push({ text: `attempt ${step.attempt}`, tint: paint.yellow });
  if (step.reused) told.push({ text: "reused", tint: paint.dim });
  for (const { name, verdict } of step.contracts)
    told.push({ text: `${verdict === "pass" ? "✓" : verdict === "fail" ? "✗" : "!"} ${printable(name)}`, tint: colorOf(verdict, paint) });
  if (step.status === "waiting" && step.retryAt !== undefined)
    told.push({ text: `tries again in ${formatDuration(Math.max(0, step.retryAt - now))}`, tint: paint.yellow });
  if (step.status === "failed" && step.failure !== undefined)
    told.push({ text: printable(describeFailure(step.failure).title), tint: paint.red });
  if (step.because !== undefined) told.push({ text: printable(step.because), tint: paint.dim });
  if (step.status === "pending" && step.dependencies.length > 0)
    told.push({ text: `after ${step.dependencies.map(printable).join(", ")}`, tint: paint.dim });
  if (step.status === "running" && step.lastLine !== undefined) told.push({ text: printable(step.lastLine), tint: paint.dim });
  return told.length === 0 ? [{ text: printable(step.persona), tint: step.status === "pending" ? paint.dim : plain }] : told;
}

/** As many parts as there is room for, the last one cut. */
function spread(all: readonly Part[], room: number): string {
  let left = room;
  const shown: string[] = [];
  for (const { text, tint } of all) {
    if (left < 3) break;
    const cut = fit(text, left);
    shown.push(tint(cut));
    left -= cellWidth(cut) + 2;
  }
  return shown.join("  ");
}

function footer(steps: readonly StepView[]): string {
  const order = ["passed", "running", "waiting", "failed", "cancelled", "skipped", "pending"] as const;
  return order
    .map((status) => ({ status, count: steps.filter((step) => step.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${status}`)
    .join(" · ");
}

function indentOf(step: StepView): number {
  return Math.min(step.depth, maxIndent) * 2;
}
