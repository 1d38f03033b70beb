/** Colours and signs, the same in every report. Whether there is colour is always passed in. */
import picocolors from "picocolors";
import type { ContractResult } from "../../core/failure.ts";
import type { AttemptStatus, RunStatus, StepStatus } from "../../core/state.ts";

export type Palette = ReturnType<typeof picocolors.createColors>;

/** What a sign stands for. */
export type SignName = StepStatus | AttemptStatus | RunStatus | ContractResult["verdict"] | "waiting";

/** A palette that colours, or one that leaves text as it is. */
export function paletteOf(color: boolean): Palette {
  return picocolors.createColors(color);
}

/** One character for a status or verdict, coloured. */
export function sign(name: SignName, paint: Palette): string {
  return colorOf(name, paint)(signs[name]);
}

/** The colour of a status or verdict. */
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
