/**
 * A process whose initial environment holds no secrets. A runner hands tokens, inputs and the workflow's secrets over as environment variables, and
 * deleting one from `process.env` leaves it readable in `/proc/PID/environ` for every process of the same user.
 */
import { closeSync, constants, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** Node 22.15 or later, except on Windows. https://nodejs.org/api/process.html#processexecvefile-args-env */
type Execve = (file: string, args: readonly string[], env: Environment) => never;

/** The word that the second start has and a runner never passes. */
const secondStart = "--environment-on-standard-input";

/** Read by the loader, by Node and by ICU before any script. */
const neededAtStart =
  /^(?:PATH|HOME|TZ|LANG|LC_[A-Z]+|LD_LIBRARY_PATH|LD_PRELOAD|DYLD_LIBRARY_PATH|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|NODE_ICU_DATA|SSL_CERT_FILE|SSL_CERT_DIR|OPENSSL_CONF)$/;

/**
 * Makes the initial environment unreadable; `process.env` stays the same. Linux shows the memory that the environment was passed in, so it is
 * overwritten, which takes a millisecond. If that cannot be done, the process executes itself again with a clean environment, and this call
 * does not return in the first one. Where Node can do neither (Windows), nothing happens.
 */
export function ensureCleanProcess(): void {
  if (!takeEnvironment() && !overwriteEnvironment()) executeAgain();
}

/** Returns whether nothing of the initial environment is readable any more. */
export function overwriteEnvironment(): boolean {
  if (process.platform !== "linux") return false;
  try {
    moveEnvironment();
    const { start, end } = environmentRange(readFileSync("/proc/self/stat", "latin1"));
    const memory = openSync("/proc/self/mem", constants.O_RDWR);
    try {
      writeSync(memory, new Uint8Array(end - start), 0, end - start, start);
    } finally {
      closeSync(memory);
    }
    return readFileSync("/proc/self/environ").every((byte) => byte === 0);
  } catch {
    return false;
  }
}

/** Sets every variable again, so that the C library keeps its value in memory of its own. */
function moveEnvironment(): void {
  const variables = Object.entries(process.env);
  for (const [name] of variables) delete process.env[name];
  for (const [name, value] of variables) process.env[name] = value;
}

/** `env_start` and `env_end` of proc_pid_stat(5), the 50th and 51st field. The second one, a name in brackets, may contain blanks. */
function environmentRange(stat: string): { readonly start: number; readonly end: number } {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [start, end] = [Number(fields[47]), Number(fields[48])];
  if (!(start > 0 && end >= start && end - start < 100_000_000)) throw new Error("the kernel does not show where the environment is");
  return { start, end };
}

/**
 * Replaces the process by another start of itself, with the same process id and arguments; `takeEnvironment` restores the environment there. Returns
 * only where Node has no `execve`. Throws if the environment cannot be handed over: a job must not run with a readable copy.
 */
export function executeAgain(): void {
  const { execve } = process as { execve?: Execve };
  if (execve === undefined || process.platform === "win32") return;
  const kept = Object.entries(process.env).filter(([name]) => neededAtStart.test(name));
  handOverEnvironment();
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1), secondStart];
  execve.call(process, process.execPath, args, Object.fromEntries(kept));
}

/** Leaves the environment as JSON on standard input: Node closes every other descriptor when it executes a program. */
function handOverEnvironment(): void {
  const text = Buffer.from(JSON.stringify(process.env));
  closeSync(0);
  // The lowest free number is the one that a file gets.
  const descriptor = openUnlinked();
  if (descriptor !== 0) throw new Error("standard input could not be replaced");
  for (let written = 0; written < text.length; ) written += writeSync(descriptor, text, written, text.length - written, written);
}

/** A file without a name, for this user only; in memory if the machine has a place for that. */
function openUnlinked(): number {
  const name = `wave-${process.pid}-${process.hrtime.bigint()}`;
  let problem: unknown;
  for (const directory of ["/dev/shm", process.env["RUNNER_TEMP"] ?? "", tmpdir()]) {
    if (directory === "") continue;
    const file = path.join(directory, name);
    try {
      const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
      unlinkSync(file);
      return descriptor;
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

/** Returns whether this is the second start. Its standard input is read, closed and replaced before any child can inherit it. */
export function takeEnvironment(): boolean {
  const at = process.argv.indexOf(secondStart, 2);
  if (at < 0) return false;
  process.argv.splice(at, 1);
  const given = JSON.parse(readFileSync(0, "utf8")) as Environment;
  closeSync(0);
  openSync("/dev/null", "r");
  for (const [name, value] of Object.entries(given)) process.env[name] = value;
  return true;
}
