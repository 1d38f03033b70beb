/**
 * Draws one frame of the live view as text. Pure. Every line fits the terminal's width and all lines fit its height: passed steps are folded
 * into one line first, then pending and skipped ones.
 */
import { describeFailure } from "../../core/failures.ts";
import { totalUsage, usageText } from "../../core/usage.ts";
import { cellWidth, fit, padded, printable } from "../../text/printable.ts";
import { counted, formatDuration } from "../../text/quantity.ts";
import { colorOf, type Palette, paletteOf, sign } from "./palette.ts";
import type { RunView, StepView } from "./run-view.ts";

export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

/** Milliseconds per picture of the spinner. */
export const spinnerInterval = 80;

const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** Deeper steps are not indented further, so that their lines keep room for text. */
const maxIndent = 8;

/** The frame, without a line break at its end. `now`: milliseconds since the epoch. */
export function renderFrame(view: RunView, now: number, size: FrameSize, color: boolean): string {
  const paint = paletteOf(color);
  const width = Math.max(20, size.columns - 1);
  const steps = [...view.steps.values()];
  // Header, footer and the cursor's line below the frame take three rows.
  const rows = foldSteps(steps, Math.max(1, size.rows - 3));
  const label = Math.min(
    40,
    Math.floor(width / 2),
    Math.max(8, ...rows.map((row) => (row.kind === "step" ? indentOf(row.step) + cellWidth(row.step.id) : 0))),
  );
  const lines = rows.map((row) =>
    row.kind === "step" ? stepLine(view, row.step, { now, width, label, paint }) : paint.dim(fit(`${row.sign} ${row.text}`, width)),
  );
  return [header(view, now, width, paint), ...lines, fit(footer(view), width)].join("\n");
}

interface Layout {
  readonly now: number;
  readonly width: number;
  /** Columns for indentation and step id. */
  readonly label: number;
  readonly paint: Palette;
}

type Row = { readonly kind: "step"; readonly step: StepView } | { readonly kind: "fold"; readonly sign: string; readonly text: string };

/** Folds passed steps, then pending and skipped ones, until the rest fits. Steps that still do not fit are counted. */
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
  const idle = fold(open.length - busy.length, "○", "pending or skipped");
  const space = Math.max(0, limit - done.length - idle.length);
  if (busy.length <= space) return [...done, ...busy.map((step): Row => ({ kind: "step", step })), ...idle];
  const shown = Math.max(0, space - 1);
  return [
    ...done,
    ...busy.slice(0, shown).map((step): Row => ({ kind: "step", step })),
    ...fold(busy.length - shown, "▶", "more running or ended"),
    ...idle,
  ].slice(0, limit);
}

function header(view: RunView, now: number, width: number, paint: Palette): string {
  const name = printable(view.version === undefined ? view.pipeline : `${view.pipeline}@${view.version}`);
  const elapsed = view.durationMs ?? (view.startedAt === undefined ? undefined : Math.max(0, now - view.startedAt));
  const used = totalUsage([...view.usage.values()].flatMap((attempts) => [...attempts.values()]));
  const rest = [
    ...(view.run === undefined ? [] : [`run ${view.run}`]),
    ...(elapsed === undefined ? [] : [formatDuration(elapsed)]),
    ...(used === undefined ? [] : [usageText(used)]),
  ].join(" · ");
  const title = fit(name, width);
  return `${paint.bold(title)} ${paint.dim(fit(rest, Math.max(0, width - cellWidth(title) - 1)))}`.trimEnd();
}

function stepLine(view: RunView, step: StepView, { now, width, label, paint }: Layout): string {
  const glyph =
    step.status === "running" ? paint.cyan(spinner[Math.floor(now / spinnerInterval) % spinner.length] ?? "") : sign(step.status, paint);
  const indent = " ".repeat(indentOf(step));
  const name = padded(fit(printable(step.id), Math.max(4, label - indent.length)), label - indent.length);
  const tint = step.status === "pending" || step.status === "skipped" ? paint.dim : (text: string) => text;
  const columns = width - indent.length - cellWidth(name) - 3;
  return `${indent}${glyph} ${tint(name)} ${spread(parts(view, step, now, paint), columns)}`.trimEnd();
}

interface Part {
  readonly text: string;
  readonly tint: (text: string) => string;
}

/** The state of a step, most important part first. */
function parts(view: RunView, step: StepView, now: number, paint: Palette): Part[] {
  const { status, contracts, failure, because, lastLine } = step;
  const all: Part[] = [];
  const add = (text: string, tint: Part["tint"]) => all.push({ text: printable(text), tint });
  const elapsed = step.durationMs ?? (status === "running" && step.startedAt !== undefined ? Math.max(0, now - step.startedAt) : undefined);
  if (elapsed !== undefined) add(formatDuration(elapsed), paint.dim);
  const used = totalUsage([...(view.usage.get(step.id)?.values() ?? [])]);
  if (used !== undefined) add(usageText(used), paint.dim);
  if (step.attempt > 1) add(`attempt ${step.attempt}`, paint.yellow);
  if (step.reused) add("reused", paint.dim);
  for (const { name, verdict } of contracts) add(`${sign(verdict, paletteOf(false))} ${name}`, colorOf(verdict, paint));
  if (status === "waiting") add(retryText(step, now), paint.yellow);
  if (status === "failed" && failure !== undefined) add(describeFailure(failure).title, paint.red);
  if (because !== undefined) add(because, paint.dim);
  if (status === "pending") for (const text of waitText(view, step)) add(text, paint.dim);
  if (status === "running" && lastLine !== undefined) add(lastLine, paint.dim);
  if (all.length === 0) add(step.persona, status === "pending" ? paint.dim : (text) => text);
  return all;
}

const waitsForSlot = "waits for a slot";

function retryText({ retryAt = 0 }: StepView, now: number): string {
  return retryAt > now ? `tries again in ${formatDuration(retryAt - now)}` : waitsForSlot;
}

/** The dependencies that a step waits for; if they have ended, a slot. Empty for a step that this process does not execute. */
function waitText({ status, steps, process }: RunView, { id, dependencies }: StepView): string[] {
  const open = dependencies.filter((dependency) => isOpen(steps.get(dependency)));
  if (open.length > 0) return [`after ${open.join(", ")}`];
  return status === "running" && process.selected?.has(id) !== false ? [waitsForSlot] : [];
}

function isOpen(step: StepView | undefined): boolean {
  return step?.status === "pending" || step?.status === "running" || step?.status === "waiting";
}

/** As many parts as fit into the columns, the last one cut. */
function spread(all: readonly Part[], columns: number): string {
  let left = columns;
  const shown: string[] = [];
  for (const { text, tint } of all) {
    if (left < 3) break;
    const cut = fit(text, left);
    shown.push(tint(cut));
    left -= cellWidth(cut) + 2;
  }
  return shown.join("  ");
}

/** Steps by status. Only running attempts use slots. */
function footer({ steps, process: { slots } }: RunView): string {
  const order = ["passed", "running", "waiting", "failed", "cancelled", "skipped", "pending"] as const;
  const counts = new Map<string, number>();
  for (const { status } of steps.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
  const shown = order.filter((status) => counts.has(status));
  return shown
    .map((status) => `${counts.get(status)}${status === "running" && slots !== undefined ? ` of ${slots} slots` : ""} ${status}`)
    .join(" · ");
}

function indentOf(step: StepView): number {
  return Math.min(step.depth, maxIndent) * 2;
}
