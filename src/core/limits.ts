/** What holds where a manifest says nothing; `docs/manifest.md` and the schemas' descriptions name the same numbers. */

/** Milliseconds, unless a name says otherwise. */
export const defaultLimits = {
  /** One attempt. */
  timeoutMs: 30 * 60_000,
  /** What one attempt may write, in bytes. */
  diskLimitBytes: 10e9,
  /** A contract's command. */
  contractTimeoutMs: 10 * 60_000,
  /** More attempts after the first, with `on_failure: retry`. */
  maxRetries: 2,
  backoffBaseMs: 1000,
  backoffMaxMs: 60_000,
  breakerWindow: 10,
  breakerMinimumAttempts: 5,
  breakerResetMs: 10 * 60_000,
} as const;

/** The longest duration that a timer can hold. */
export const longestDurationMs = 2 ** 31 - 1;

/** Where state lies, relative to the project root. */
export const defaultStateLocation = ".wave/state";

/** Bounds of one evaluation of data from a step (`evaluation.ts`), and of a schema that a project brings along. */
export const evaluationLimits = {
  timeMs: 10_000,
  /** What the process may grow by while it evaluates, in bytes. */
  memoryBytes: 1e9,
  /** An artifact or a text that is evaluated, in bytes. JSON takes up to 25 times its size in memory. */
  inputBytes: 32e6,
  /** All schema files of a project together, in bytes. */
  schemaBytes: 32e6,
} as const;
