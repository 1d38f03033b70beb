/** Reads a contract's rules on failure (retries, backoff, circuit breaker), merged over the manifest's defaults. */
import type { DocumentNode } from "../../core/document.ts";
import { defaultLimits } from "../../core/limits.ts";
import type { Backoff } from "../../core/pipeline.ts";
import { type BreakerSettings, readBreakerSettings, reportIdleBreaker } from "./circuit-breaker.ts";
import type { Findings } from "./findings.ts";
import { asNumber, asOneOf, keyOrigin, member } from "./read-node.ts";
import { readDuration } from "./read-quantity.ts";

/** Settings of every contract type. */
export interface ContractRules {
  readonly onFailure: "halt" | "retry" | "warn";
  readonly maxRetries: number;
  readonly backoff: Backoff;
  readonly breaker: BreakerSettings;
  readonly timeoutMs: number;
}

const onFailures = ["halt", "retry", "warn"] as const;
const strategies = ["none", "constant", "linear", "exponential"] as const;

/** The built-in defaults. */
export const builtInRules: ContractRules = {
  onFailure: "halt",
  maxRetries: defaultLimits.maxRetries,
  backoff: { strategy: "none", baseMs: defaultLimits.backoffBaseMs, maxMs: defaultLimits.backoffMaxMs },
  breaker: {},
  timeoutMs: defaultLimits.contractTimeoutMs,
};

/** The rules of a contract, or of `defaults.contract`, merged over `beneath`. */
export function readRules(node: DocumentNode | undefined, beneath: ContractRules, findings: Findings): ContractRules {
  if (node === undefined) return beneath;
  return {
    onFailure: asOneOf(member(node, "on_failure"), onFailures) ?? beneath.onFailure,
    maxRetries: asNumber(member(node, "max_retries")) ?? beneath.maxRetries,
    backoff: readBackoff(node, beneath.backoff, findings),
    breaker: readBreakerSettings(node, beneath.breaker, findings),
    timeoutMs: readDuration(member(node, "timeout"), findings) ?? beneath.timeoutMs,
  };
}

/** Warns about keys that have no effect without another key. */
export function reportIdleKeys(node: DocumentNode, rules: ContractRules, findings: Findings): void {
  reportIdleBreaker(node, rules.breaker, findings);
  const retrying = rules.onFailure === "retry";
  for (const key of ["max_retries", "backoff_strategy", "backoff_base", "backoff_max"]) {
    if (retrying || member(node, key) === undefined) continue;
    findings.warning("W206", `\`${key}\` has no effect without \`on_failure: retry\``, keyOrigin(node, key), {
      hint: `the contract's \`on_failure\` is \`${rules.onFailure}\``,
    });
  }
  for (const key of ["backoff_base", "backoff_max"]) {
    if (!retrying || rules.backoff.strategy !== "none" || member(node, key) === undefined) continue;
    findings.warning("W206", `\`${key}\` has no effect without a \`backoff_strategy\``, keyOrigin(node, key), {
      hint: "add `backoff_strategy: exponential`",
    });
  }
}

function readBackoff(node: DocumentNode, beneath: Backoff, findings: Findings): Backoff {
  const base = readDuration(member(node, "backoff_base"), findings, true);
  const longest = readDuration(member(node, "backoff_max"), findings, true);
  const baseMs = base ?? beneath.baseMs;
  if (longest !== undefined && longest < baseMs) {
    findings.error("W205", "`backoff_max` is shorter than `backoff_base`", member(node, "backoff_max")?.origin ?? node.origin, {
      hint: "increase `backoff_max`, or reduce `backoff_base`",
    });
  }
  return {
    strategy: asOneOf(member(node, "backoff_strategy"), strategies) ?? beneath.strategy,
    baseMs,
    maxMs: longest ?? Math.max(beneath.maxMs, baseMs),
  };
}
