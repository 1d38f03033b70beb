/** Reads durations, sizes and limits. The structure check reports malformed ones. */
import { defined } from "../../core/defined.ts";
import type { DocumentNode } from "../../core/document.ts";
import { longestDurationMs } from "../../core/limits.ts";
import type { Resources, RunBudget } from "../../core/pipeline.ts";
import { formatDuration, parseDuration, parseSize } from "../../text/quantity.ts";
import type { Findings } from "./findings.ts";
import { asLocated, asNumber, member } from "./read-node.ts";

/** Reads a duration in milliseconds. Reports zero (unless `mayBeZero`) and durations too long for a timer. */
export function readDuration(node: DocumentNode | undefined, findings: Findings, mayBeZero = false): number | undefined {
  const written = asLocated(node);
  const ms = written === undefined ? undefined : parseDuration(written.text);
  if (written === undefined || ms === undefined) return undefined;
  if (ms > longestDurationMs) {
    findings.error("W205", `\`${written.text}\` is too long: the maximum is ${formatDuration(longestDurationMs)}`, written.origin);
  } else if (ms === 0 && !mayBeZero)
    findings.error("W205", `\`${written.text}\` is zero`, written.origin, { hint: "remove the key to use the default" });
  return ms;
}

/** Reads a size in bytes. Reports zero and sizes that are not exact. */
export function readSize(node: DocumentNode | undefined, findings: Findings): number | undefined {
  const written = asLocated(node);
  const bytes = written === undefined ? undefined : parseSize(written.text);
  if (written === undefined || bytes === undefined) return undefined;
  if (bytes === 0 || !Number.isSafeInteger(bytes)) findings.error("W205", `\`${written.text}\` is not a valid size limit`, written.origin);
  return bytes;
}

/** Reads `budget`. Undefined without limits. */
export function readBudget(node: DocumentNode | undefined, findings: Findings): RunBudget | undefined {
  const budget = {
    ...defined({
      timeoutMs: readDuration(member(node, "timeout"), findings),
      maxTurns: asNumber(member(node, "max_turns")),
      maxTokens: asNumber(member(node, "max_tokens")),
      maxCostUsd: asNumber(member(node, "max_cost")),
    }),
  };
  return Object.keys(budget).length === 0 ? undefined : budget;
}

/** Reads `resources`. Limits that are not set are absent. */
export function readResources(node: DocumentNode | undefined, findings: Findings): Partial<Resources> {
  const timeoutMs = readDuration(member(node, "timeout"), findings);
  const memoryLimitBytes = readSize(member(node, "memory_limit"), findings);
  const diskLimitBytes = readSize(member(node, "disk_limit"), findings);
  return {
    ...defined({
      timeoutMs,
      memoryLimitBytes,
      diskLimitBytes,
      maxTurns: asNumber(member(node, "max_turns")),
      maxTokens: asNumber(member(node, "max_tokens")),
      maxCostUsd: asNumber(member(node, "max_cost")),
    }),
  };
}
