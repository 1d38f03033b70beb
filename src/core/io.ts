/** Standard streams, environment and signals, as commands use them. */
import type { Redactor } from "./ports.ts";

/** The streams and environment of a command. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Data. */
  readonly stdout: Output;
  /** Text for people, separate from data on stdout. */
  readonly stderr: Output;
  /** Reads standard input to its end. */
  readonly readStdin: () => Promise<string>;
  /** Aborts with the signal's name on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly secrets: OutputSecrets;
}

/** The secrets that output replaces: tokens of known shapes, and the known values of declared secrets. */
export interface OutputSecrets {
  /**
   * For values that are printed as data: JSON, report files, annotations. Text for people is redacted when it is
   * written.
   */
  redactor(): Redactor;
  /** Adds values. `redactor`: one already built from exactly these values. */
  add(values: readonly string[], redactor?: Redactor): void;
}

/**
 * An output stream. It knows its destination (a terminal, a runner's log, a file or pipe) and neutralizes the sequences
 * that the destination would interpret, so commands need not.
 */
export interface Output {
  /**
   * Writes text for people. Secrets are redacted. Control sequences are removed, except Wave's own colors, and so are
   * workflow commands for a runner.
   */
  readonly write: (text: string) => void;
  /**
   * Writes data for programs. Files and pipes get every byte; for a terminal and a runner's log it is neutralized like
   * text.
   */
  readonly writeData: (data: string | Uint8Array) => void;
  /** Writes Wave's own cursor movements and workflow commands, unchanged. Callers neutralize other text in them. */
  readonly writeControl: (text: string) => void;
  readonly isTerminal: boolean;
  readonly color: boolean;
  readonly columns: number;
  readonly rows: number;
}
