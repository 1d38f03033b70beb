/**
 * From a process's start to its end, the same for every entry. Whatever happens ends the process with a status that means something: also what is thrown
 * where nobody waits for it, and a bug after which something is still open that would keep the process alive for ever.
 */
import type { Io } from "../core/io.ts";
import { machineTrouble } from "./files.ts";
import { type LostOutput, processIo } from "./process-io.ts";

export interface Entry {
  /** Does the work and gives the exit status. What it throws is a bug. */
  main(io: Io): Promise<number>;
  /** Reports a bug by what was thrown; the stack goes to standard error after it. */
  onBug(io: Io, error: unknown): void;
  /** Says that this machine cannot do it: a full disk that nothing else had an answer to, output that could not be written. */
  onTrouble(io: Io, text: string): void;
  /** Whatever goes wrong is said, and the status is 0. */
  readonly neverFails?: true;
}

/** How long running work has to end in order when something was thrown that nobody waits for, and what is open after a bug, in milliseconds. */
const patienceMs = { work: 5000, rest: 1000 };

/** Exit statuses: a bug (EX_SOFTWARE of sysexits), and an environment that cannot do it. */
const statuses = { bug: 70, trouble: 4 };

/** Runs an entry to the end of its process. */
export function enter({ main, onBug, onTrouble, neverFails }: Entry): void {
  const { io, abort, lost } = processIo();
  const { bug, trouble } = neverFails === true ? { bug: 0, trouble: 0 } : statuses;
  let isBroken = false;
  const tell = (error: unknown) => {
    // One bug may throw more than once on its way out, and the first says most.
    if (isBroken) return;
    isBroken = true;
    const machine = machineTrouble(error);
    process.exitCode = machine === undefined ? bug : trouble;
    if (machine !== undefined) return onTrouble(io, machine.detail);
    onBug(io, error);
    io.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  };
  const leaveIn = (ms: number) => setTimeout(() => process.exit(), ms).unref();
  // Stands if nothing is left to wait for and nobody has said how it ended.
  process.exitCode = bug;
  // Without this, Node would end at once, leave children running, print a line of the bundle, and exit with the status of a run that failed.
  process.on("uncaughtException", (error) => {
    tell(error);
    abort(machineTrouble(error)?.detail ?? "a bug in wave");
    leaveIn(patienceMs.work);
  });
  // At the very end: of the last words it is known only after they are written.
  process.on("exit", (status) => {
    const unsaid = lost();
    if (unsaid === undefined) return;
    onTrouble(io, sentenceOf(unsaid));
    if (status === 0) process.exitCode = trouble;
  });
  main(io).then(
    (status) => {
      if (!isBroken) process.exitCode = status;
    },
    (error: unknown) => {
      tell(error);
      leaveIn(patienceMs.rest);
    },
  );
}

function sentenceOf({ stream, code, detail }: LostOutput): string {
  return `not everything could be written to ${stream} (${code}): ${detail}`;
}
