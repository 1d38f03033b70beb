/** Contract results and violations as text. */
import { counted } from "../text/quantity.ts";
import type { ContractResult, Violation } from "./failure.ts";
import { type Description, maxListed, outputTail, renameHint } from "./failure-kind.ts";
import { unreachable } from "./result.ts";
import { countViolations } from "./violation-count.ts";

/** The verdict as title, the violations and the command's output as detail. */
export function describeContract({ name, verdict, violations, tail, onFailure }: ContractResult): Description {
  const ignored = onFailure === "warn" && verdict !== "pass" ? " (only a warning: on_failure is warn)" : "";
  const detail = violations.slice(0, maxListed).map(describeViolation);
  const total = countViolations(violations);
  if (violations.length > maxListed) detail.push(`and ${total - maxListed} more`);
  if (verdict !== "pass") detail.push(...outputTail(tail));
  switch (verdict) {
    case "pass":
      return { title: `contract \`${name}\` passed`, detail };
    case "fail":
      return { title: `contract \`${name}\` failed: ${counted(total, "violation")}${ignored}`, detail, ...renameHint(tail ?? "") };
    case "error":
      return { title: `contract \`${name}\` could not be evaluated${ignored}`, detail };
    default:
      return unreachable(verdict);
  }
}

/** One violation on one line: `FILE:LINE:COLUMN POINTER: MESSAGE`, with the parts that are known. */
export function describeViolation({ message, pointer, location }: Violation): string {
  const position = location === undefined ? "" : `${location.file}:${location.line}:${location.column}`;
  const where = [position, pointer ?? ""].filter((part) => part !== "").join(" ");
  return where === "" ? message : `${where}: ${message}`;
}
