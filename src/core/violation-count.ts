/** Counts violations, including those that a shortened list leaves out. */
import { counted } from "../text/quantity.ts";
import type { Violation } from "./failure.ts";

const pattern = /^([0-9,]+) more violations? (?:is|are) not listed$/;

/** The last entry of a shortened list. It names the number of violations left out. */
export function unlisted(count: number): Violation {
  return { message: `${counted(count, "more violation")} ${count === 1 ? "is" : "are"} not listed`, rule: "limit" };
}

/** The number of all violations, listed or not. */
export function countViolations(violations: readonly Violation[]): number {
  const last = violations.at(-1);
  const more = last?.rule === "limit" ? pattern.exec(last.message)?.[1] : undefined;
  return more === undefined ? violations.length : violations.length - 1 + Number(more.replaceAll(",", ""));
}
