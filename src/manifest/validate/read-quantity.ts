/** Reads durations and sizes, and the limits made of them. Texts of the wrong form are the schema's to report. */
import { defined } from "../../core/defined.ts";
import type { DocumentNode } from "../../core/document.ts";
import { longestDurationMs } from "../../core/limits.ts";
import type { Resources, RunBudget } from "../../core/pipeline.ts";
import { formatDuration, parseDuration, parseSize } from "../../text/quantity.ts";
import type { Findings } from "./findings.ts";
import { asLocated, asNumber, member } from "./read-node.ts";

/** Milliseconds. Reports nothing at all (unless `mayBeZero`) and what no timer can hold. */
export function readDuration(node: DocumentNode | undefined, findings: Findings, mayBeZero = false): number | undefined {
  const written = asLocated(node);
  const ms = written === undefined ? undefined : parseDuration(written.text);
  if (written === undefined || ms === undefined) return undefined;
  if (ms > longestDurationMs) {
    findings.error(
      "W205",
      `\`${written.text}\` is longer than ${formatDuration(longestDurationMs)}, the longest time that can be waited for`,
      written.origin,
    );
  } else if (ms === 0 && !mayBeZero)
    findings.error("W205", `\`${written.text}\` is no time at all`, written.origin, { hint: "leave the key out for the default" });
  return ms;
}

/** Bytes. Reports nothing at all, and more than can be counted. */
export function readSize(node: DocumentNode | undefined, findings: Findings): number | undefined {
  const written = asLocated(node);
  const bytes = written === undefined ? undefined : parseSize(written.text);
  if (written === undefined || bytes === undefined) return undefined;
  if (bytes === 0 || !Number.isSafeInteger(bytes))
    findings.error("W205", `\`${written.text}\` is not a size that can be held to`, written.origin);
  return bytes;
}

/** What a pipeline's `budget` says; nothing where it says nothing. */
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

/** What a `resources` map says, with what it leaves open absent. */
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
