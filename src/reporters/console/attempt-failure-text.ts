/** Renders the failure of an attempt below its log. Pure. */

import type { Failure } from "../../core/failure.ts";
import { describeFailure } from "../../core/failures.ts";
import { detailLines, failureTitle } from "./failure-lines.ts";
import { paletteOf, sign } from "./palette.ts";

/** Title, details and hint, without the output that the log already ends with. Ends in a line break. */
export function attemptFailureText(failure: Failure, color: boolean): string {
  const paint = paletteOf(color);
  const withoutOutput = "tail" in failure ? { ...failure, tail: "" } : failure;
  return `${[`${sign("failed", paint)} ${failureTitle(failure)}`, ...detailLines(describeFailure(withoutOutput), 2, paint)].join("\n")}\n`;
}
