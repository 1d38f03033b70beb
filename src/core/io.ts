/** The world as an entry sees it: where words come from and where output goes. */
import type { Redactor } from "./ports.ts";

/** The world as a command sees it. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Data. */
  readonly stdout: Output;
  /** Everything that people read while stdout is data. */
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
  /** Adds values. `redactor`, where one was made of exactly these values, saves making another. */
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
