/** Colors and signs that all reports share. Callers decide whether to color. */
import picocolors from "picocolors";
import type { ContractResult } from "../../core/failure.ts";
import type { AttemptStatus, RunStatus, StepStatus } from "../../core/state.ts";

export type Palette = ReturnType<typeof picocolors.createColors>;

/** Statuses and verdicts that have a sign. */
export type SignName = StepStatus | AttemptStatus | RunStatus | ContractResult["verdict"] | "waiting";

/** A palette that colors text, or one that returns it unchanged. */
export function paletteOf(color: boolean): Palette {
  return picocolors.createColors(color);
}

/** One colored character for a status or verdict. */
export function sign(name: SignName, paint: Palette): string {
  return colorOf(name, paint)(signs[name]);
}

/** The color of a status or verdict. */
export function colorOf(name: SignName, paint: Palette): (text: string) => string {
  switch (name) {
    case "passed":
    case "pass":
      return paint.green;
    case "failed":
    case "fail":
    case "error":
      return paint.red;
    case "cancelled":
    case "interrupted":
    case "waiting":
      return paint.yellow;
    case "running":
      return paint.cyan;
    case "pending":
    case "skipped":
      return paint.dim;
  }
}

const signs: Readonly<Record<SignName, string>> = {
  passed: "✓",
  pass: "✓",
  failed: "✗",
  fail: "✗",
  error: "!",
  cancelled: "⊘",
  interrupted: "⊘",
  waiting: "↻",
  running: "▶",
  pending: "○",
  skipped: "↷",
};
