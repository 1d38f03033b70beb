/** A failure's description as printable lines, for reports that people read. */

import type { Failure } from "../../core/failure.ts";
import type { Description } from "../../core/failure-kind.ts";
import { describeFailure } from "../../core/failures.ts";
import { printable } from "../../text/printable.ts";
import type { Palette } from "./palette.ts";

/** The title as one printable line. */
export function failureTitle(failure: Failure): string {
  return printable(describeFailure(failure).title);
}

/** Detail and hint below a title, indented by `indent` spaces. Lines that begin with two spaces are quoted: `│` precedes the rest of the line. */
export function detailLines({ detail, hint }: Description, indent: number, paint: Palette): string[] {
  const margin = " ".repeat(indent);
  const lines = detail.map((line) => margin + (line.startsWith("  ") ? paint.dim(`  │ ${printable(line.slice(2))}`) : printable(line)));
  return hint === undefined ? lines : [...lines, `${margin}${paint.cyan("hint:")} ${printable(hint)}`];
}

/** Whether the failure's description contains the end of the child's output. */
export function quotesOutput(failure: Failure): boolean {
  if ("tail" in failure) return failure.tail.trim() !== "";
  return failure.reason === "contract-failed" && failure.contracts.some(({ tail }) => tail !== undefined && tail.trim() !== "");
}
