/** Defaults and limits. `docs/manifest.md` and the schemas' descriptions state the same numbers. */

/** In milliseconds unless the name has another unit. */
export const defaultLimits = {
  /** One attempt. */
  timeoutMs: 30 * 60_000,
  /** Bytes that one attempt may write. */
  diskLimitBytes: 10e9,
  /** One run of a contract's command. */
  contractTimeoutMs: 10 * 60_000,
  /** Attempts after the first, with `on_failure: retry`. */
  maxRetries: 2,
  backoffBaseMs: 1000,
  backoffMaxMs: 60_000,
  breakerWindow: 10,
  breakerMinimumAttempts: 5,
  breakerResetMs: 10 * 60_000,
} as const;

/** The longest duration of a Node timer. */
export const longestDurationMs = 2 ** 31 - 1;

/** The state directory, relative to the project root. */
export const defaultStateLocation = ".wave/state";

/** Limits of one evaluation of untrusted data, and of a project's schemas. */
export const evaluationLimits = {
  timeMs: 10_000,
  /** Growth of the process during the evaluation, in bytes. */
  memoryBytes: 1e9,
  /** Size of the evaluated artifact, in bytes. Parsed JSON takes up to 25 times as much memory. */
  inputBytes: 32e6,
  /** All schema files of a project together, in bytes. */
  schemaBytes: 32e6,
} as const;
