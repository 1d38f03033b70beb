/** Why an attempt failed, below its log. Pure. */

import type { Failure } from "../../core/failure.ts";
import { describeFailure } from "../../core/failures.ts";
import { detailLines, failureTitle } from "./failure-lines.ts";
import { paletteOf, sign } from "./palette.ts";

/** Its title, details and hint; what the log itself ends with is not told again. Ends in a line break. */
export function attemptFailureText(failure: Failure, color: boolean): string {
  const paint = paletteOf(color);
  const untold = "tail" in failure ? { ...failure, tail: "" } : failure;
  return `${[`${sign("failed", paint)} ${failureTitle(failure)}`, ...detailLines(describeFailure(untold), 2, paint)].join("\n")}\n`;
}
