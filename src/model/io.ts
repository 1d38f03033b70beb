/** The world as an entry sees it: where words come from and where output goes. */

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
}

export interface Output {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly color: boolean;
  readonly columns: number;
  readonly rows: number;
}
