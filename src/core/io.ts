/** Standard streams, environment and signals, as commands use them. */
import type { Redactor } from "./ports.ts";

/** The streams and environment of a command. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Data. */
  readonly stdout: Output;
  /** Text for people, kept apart from data on stdout. */
  readonly stderr: Output;
  /** Reads standard input to its end. */
  readonly readStdin: () => Promise<string>;
  /** Aborts with the signal's name on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly secrets: OutputSecrets;
}

/** Which secrets output replaces: tokens of known shapes, and the values that are known to be declared. */
export interface OutputSecrets {
  /** For values that are printed as data: JSON, files of reports, annotations. Text for people is redacted where it is written. */
  redactor(): Redactor;
  /** Adds values. `redactor`: one that was already built from exactly these values. */
  add(values: readonly string[], redactor?: Redactor): void;
}

/**
 * A stream that output goes to. It knows its destination (a terminal, a runner's log, a file or pipe), and neutralises what that destination would
 * obey, so no command has to.
 */
export interface Output {
  /** Writes text for people: no secret and no control sequence except Wave's own colours reaches any destination, and no workflow command a runner. */
  readonly write: (text: string) => void;
  /** Writes data for programs. Files and pipes get every byte; a terminal and a runner's log get it neutralised like text. */
  readonly writeData: (data: string | Uint8Array) => void;
  /** Writes Wave's own cursor movements and workflow commands, unchanged. Text of others in them has been made harmless. */
  readonly writeControl: (text: string) => void;
  readonly isTerminal: boolean;
  readonly color: boolean;
  readonly columns: number;
  readonly rows: number;
}
