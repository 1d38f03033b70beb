/**
 * Removes secrets from the initial environment of the process. A runner passes tokens, inputs and the workflow's secrets as environment
 * variables. Deleting one from `process.env` leaves it readable in `/proc/PID/environ` for every process of the same user.
 */
import { closeSync, constants, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** Node 22.15 or later, except on Windows. https://nodejs.org/api/process.html#processexecvefile-args-env */
type Execve = (file: string, args: readonly string[], env: Environment) => never;

/** The argument of the second start, which a runner never passes. */
const secondStart = "--environment-on-standard-input";

/** Variables that the loader, Node and ICU read before any script. */
const neededAtStart =
  /^(?:PATH|HOME|TZ|LANG|LC_[A-Z]+|LD_LIBRARY_PATH|LD_PRELOAD|DYLD_LIBRARY_PATH|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|NODE_ICU_DATA|SSL_CERT_FILE|SSL_CERT_DIR|OPENSSL_CONF)$/;

/**
 * Makes the initial environment unreadable and keeps `process.env`. Linux shows the memory in which the environment was passed, so this
 * overwrites it, in about a millisecond. If that fails, the process executes itself again with a clean environment, and the call does not
 * return. On Windows, where Node can do neither, nothing happens.
 */
export function ensureCleanProcess(): void {
  if (!takeEnvironment() && !overwriteEnvironment()) executeAgain();
}

/** Overwrites the initial environment. Returns whether it is no longer readable. */
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

/** Sets every variable again, so that the C library copies its value to other memory. */
function moveEnvironment(): void {
  const variables = Object.entries(process.env);
  for (const [name] of variables) delete process.env[name];
  for (const [name, value] of variables) process.env[name] = value;
}

/** `env_start` and `env_end` of proc_pid_stat(5): fields 50 and 51. Field 2, a name in parentheses, may contain blanks. */
function environmentRange(stat: string): { readonly start: number; readonly end: number } {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [start, end] = [Number(fields[47]), Number(fields[48])];
  if (!(start > 0 && end >= start && end - start < 100_000_000)) throw new Error("the kernel does not show where the environment is");
  return { start, end };
}

/**
 * Starts the program again in the same process, with the same arguments; `takeEnvironment` restores the environment there. Returns only
 * if Node has no `execve`. Throws if the environment cannot be passed on: a job must not run with a readable copy.
 */
export function executeAgain(): void {
  const { execve } = process as { execve?: Execve };
  if (execve === undefined || process.platform === "win32") return;
  const kept = Object.entries(process.env).filter(([name]) => neededAtStart.test(name));
  handOverEnvironment();
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1), secondStart];
  execve.call(process, process.execPath, args, Object.fromEntries(kept));
}

/** Passes the environment as JSON on standard input: Node closes every other descriptor at `execve`. */
function handOverEnvironment(): void {
  const text = Buffer.from(JSON.stringify(process.env));
  closeSync(0);
  // `open` uses the lowest free descriptor, which is 0.
  const descriptor = openUnlinked();
  if (descriptor !== 0) throw new Error("standard input could not be replaced");
  for (let written = 0; written < text.length; ) written += writeSync(descriptor, text, written, text.length - written, written);
}

/** Opens an unlinked file that only this user can access, in memory if possible. */
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

/** In the second start, restores the environment from standard input, which it replaces before a child can inherit it. Returns whether it did. */
export function takeEnvironment(): boolean {
  const at = process.argv.indexOf(secondStart, 2);
  if (at < 0) return false;
  process.argv.splice(at, 1);
  const variables = JSON.parse(readFileSync(0, "utf8")) as Environment;
  closeSync(0);
  openSync("/dev/null", "r");
  for (const [name, value] of Object.entries(variables)) process.env[name] = value;
  return true;
}
