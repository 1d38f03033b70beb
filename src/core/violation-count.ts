/** How many violations a contract found, with those that a list leaves out. Pure. */
import type { Violation } from "./failure.ts";

const pattern = /^(\d+) more violations are not listed$/;

/** The last entry of a list that is cut: it counts the violations left out. */
export function unlisted(count: number): Violation {
  return { message: `${count} more violations are not listed`, rule: "limit" };
}

/** All violations, listed or not. */
export function countViolations(violations: readonly Violation[]): number {
  const last = violations.at(-1);
  const more = last?.rule === "limit" ? pattern.exec(last.message)?.[1] : undefined;
  return more === undefined ? violations.length : violations.length - 1 + Number(more);
}
