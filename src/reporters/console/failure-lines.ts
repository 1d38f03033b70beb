/** A failure's description as printable lines, for every report that people read. */

import type { Failure } from "../../core/failure.ts";
import type { Description } from "../../core/failure-kind.ts";
import { describeFailure } from "../../core/failures.ts";
import { printable } from "../../text/printable.ts";
import type { Palette } from "./palette.ts";

/** The title, made printable. */
export function failureTitle(failure: Failure): string {
  return printable(describeFailure(failure).title);
}

/** Detail and hint below a title, each line indented by `indent` spaces. */
export function detailLines({ detail, hint }: Description, indent: number, paint: Palette): string[] {
  const lead = " ".repeat(indent);
  const lines = detail.map(
    (line) =>
      `${lead}${line.startsWith("  ") ? paint.dim(`${/^ */.exec(line)?.[0] ?? ""}│ ${printable(line.trimStart())}`) : printable(line)}`,
  );
  return hint === undefined ? lines : [...lines, `${lead}${paint.cyan("hint:")} ${printable(hint)}`];
}

/** Whether the failure's description already ends with what the child printed. */
export function tellsOutput(failure: Failure): boolean {
  if ("tail" in failure) return failure.tail.trim() !== "";
  return failure.reason === "contract-failed" && failure.contracts.some(({ tail }) => tail !== undefined && tail.trim() !== "");
}
