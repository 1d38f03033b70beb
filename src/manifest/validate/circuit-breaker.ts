/** Reads circuit breaker settings from a contract or its `circuit_breaker`, merged over the manifest's defaults. */
import { defined } from "../../core/defined.ts";
import type { DocumentNode } from "../../core/document.ts";
import { defaultLimits } from "../../core/limits.ts";
import type { CircuitBreaker } from "../../core/pipeline.ts";
import { checkEither } from "./exclusive-keys.ts";
import type { Findings } from "./findings.ts";
import { asNumber, keyOrigin, member } from "./read-node.ts";
import { readDuration } from "./read-quantity.ts";

/** The keys that are set. Without `failureThreshold` there is no circuit breaker. */
export type BreakerSettings = Partial<CircuitBreaker>;

const keys = ["failure_threshold", "sliding_window_size", "minimum_attempts", "reset_timeout"] as const;

/** Merges the keys of a contract, or of `defaults.contract`, over `beneath`. */
export function readBreakerSettings(node: DocumentNode, beneath: BreakerSettings, findings: Findings): BreakerSettings {
  const nested = member(node, "circuit_breaker");
  if (nested !== undefined) for (const key of keys) checkEither(node, "circuit_breaker", key, findings);
  const holder = nested ?? node;
  const settings: BreakerSettings = {
    ...beneath,
    ...defined({
      failureThreshold: asNumber(member(holder, "failure_threshold")),
      windowSize: asNumber(member(holder, "sliding_window_size")),
      minimumAttempts: asNumber(member(holder, "minimum_attempts")),
      resetTimeoutMs: readDuration(member(holder, "reset_timeout"), findings),
    }),
  };
  reportNeverOpen(holder, settings, findings);
  return settings;
}

/** The circuit breaker with defaults for missing keys. Undefined without `failureThreshold`. */
export function breakerOf({ failureThreshold, ...settings }: BreakerSettings): CircuitBreaker | undefined {
  if (failureThreshold === undefined) return undefined;
  const windowSize = settings.windowSize ?? defaultLimits.breakerWindow;
  return {
    failureThreshold,
    windowSize,
    minimumAttempts: settings.minimumAttempts ?? Math.min(defaultLimits.breakerMinimumAttempts, windowSize),
    resetTimeoutMs: settings.resetTimeoutMs ?? defaultLimits.breakerResetMs,
  };
}

/** Warns about keys that have no effect because `failure_threshold` is not set. */
export function reportIdleBreaker(node: DocumentNode, settings: BreakerSettings, findings: Findings): void {
  if (settings.failureThreshold !== undefined) return;
  for (const key of keys) {
    if (member(node, key) === undefined) continue;
    findings.warning("W206", `\`${key}\` has no effect without \`failure_threshold\``, keyOrigin(node, key), {
      hint: "add `failure_threshold: 0.5`",
    });
  }
}

/** Reports a `minimum_attempts` above the window's size, at the key that sets it. */
function reportNeverOpen(holder: DocumentNode, settings: BreakerSettings, findings: Findings): void {
  const { windowSize = defaultLimits.breakerWindow, minimumAttempts = 0, failureThreshold } = settings;
  if (failureThreshold === undefined || minimumAttempts <= windowSize) return;
  const own = (["minimum_attempts", "sliding_window_size", "failure_threshold"] as const).find((key) => member(holder, key) !== undefined);
  if (own === undefined) return;
  findings.error(
    "W205",
    `the circuit can never open: the window has ${windowSize} attempts, but \`minimum_attempts\` is ${minimumAttempts}`,
    keyOrigin(holder, own),
  );
}
