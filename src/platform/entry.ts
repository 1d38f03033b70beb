/**
 * Runs an entry from the start to the end of its process. The process always ends with a meaningful status, even after an uncaught error,
 * or a bug that leaves a handle open, which would keep the process alive.
 */
import type { Io } from "../core/io.ts";
import { machineTrouble } from "./files.ts";
import { type LostOutput, processIo } from "./process-io.ts";

export interface Entry {
  /** Does the work and returns the exit status. An error that it throws is a bug. */
  main(io: Io): Promise<number>;
  /** Reports a bug. The stack is written to standard error afterwards. */
  onBug(io: Io, error: unknown): void;
  /** Reports an unhandled problem of the machine, such as a full disk or output that cannot be written. */
  onTrouble(io: Io, text: string): void;
  /** Problems are reported, but the status is 0. */
  readonly neverFails?: true;
}

/** Milliseconds to exit: after an uncaught error, for running work to end; after a bug, for open handles to close. */
const exitDelayMs = { work: 5000, handles: 1000 };

/** Exit statuses: a bug (EX_SOFTWARE of sysexits), and an environment that cannot do it. */
const statuses = { bug: 70, trouble: 4 };

/** Runs an entry to the end of its process. */
export function enter({ main, onBug, onTrouble, neverFails }: Entry): void {
  const { io, abort, lost } = processIo();
  const { bug, trouble } = neverFails === true ? { bug: 0, trouble: 0 } : statuses;
  let isBroken = false;
  const report = (error: unknown) => {
    // One bug may cause several errors; the first is the most informative.
    if (isBroken) return;
    isBroken = true;
    const machine = machineTrouble(error);
    process.exitCode = machine === undefined ? bug : trouble;
    if (machine !== undefined) return onTrouble(io, machine.detail);
    onBug(io, error);
    io.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  };
  const leaveIn = (ms: number) => setTimeout(() => process.exit(), ms).unref();
  // The status if the event loop empties before `main` resolves.
  process.exitCode = bug;
  // By default, Node would exit at once with the status of a failed run, leave children running and print a line of the bundle.
  process.on("uncaughtException", (error) => {
    report(error);
    abort(machineTrouble(error)?.detail ?? "a bug in wave");
    leaveIn(exitDelayMs.work);
  });
  // At exit, because only then is it known whether the last output was written.
  process.on("exit", (status) => {
    const output = lost();
    if (output === undefined) return;
    onTrouble(io, sentenceOf(output));
    if (status === 0) process.exitCode = trouble;
  });
  main(io).then(
    (status) => {
      if (!isBroken) process.exitCode = status;
    },
    (error: unknown) => {
      report(error);
      leaveIn(exitDelayMs.handles);
    },
  );
}

function sentenceOf({ stream, code, detail }: LostOutput): string {
  return `not everything could be written to ${stream} (${code}): ${detail}`;
}
