/**
 * Loaded into a process before its own program (`node --import`): lets one call of the file system fail, as a full disk, a device or a limit would let it.
 * Counted are the calls that concern files below a directory, and what is done with open files. `WAVE_TEST_FAULT` holds a `Fault` as JSON.
 */
import fs, { appendFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread } from "node:worker_threads";

export interface Fault {
  /** Which of the counted calls fails, from 1; 0: none. */
  readonly at: number;
  /** An errno name; `SIGKILL`: the process ends at the call. */
  readonly code: string;
  readonly calls: "write" | "read";
  /** Absolute. */
  readonly below: string;
  /** A file that gets one line a call: where in the program it comes from. Absent: no list. */
  readonly list?: string;
}

type Call = (...words: unknown[]) => unknown;
type Calls = Record<string, Call | undefined>;

// Other threads of the process load this too, and are left alone.
const none: Fault = { at: 0, code: "", calls: "read", below: "/none" };
const fault = isMainThread ? (JSON.parse(process.env["WAVE_TEST_FAULT"] ?? JSON.stringify(none)) as Fault) : none;
delete process.env["WAVE_TEST_FAULT"];

const names = {
  write:
    "mkdir writeFile appendFile copyFile rename symlink link write writev truncate ftruncate utimes fsync fdatasync chmod mkdtemp open".split(
      " ",
    ),
  read: "readdir readFile stat lstat readlink opendir realpath access open".split(" "),
}[fault.calls];
const onHandles = {
  write: "write writev writeFile appendFile datasync sync truncate chmod utimes".split(" "),
  read: "read readFile stat".split(" "),
}[fault.calls];

let count = 0;

function failureOf(name: string, words: readonly unknown[]): Error | undefined {
  if (!isCounted(name, words)) return undefined;
  count += 1;
  if (fault.list !== undefined) appendFileSync(fault.list, `${name} ${callers()}\n`);
  if (count !== fault.at) return undefined;
  if (fault.code === "SIGKILL") process.kill(process.pid, "SIGKILL");
  return Object.assign(new Error(`${fault.code}: made to fail, ${name}`), { code: fault.code, syscall: name, path: String(words[0]) });
}

function isCounted(name: string, [file, flags]: readonly unknown[]): boolean {
  if (name === "open" && fault.calls === "write" && !(typeof flags === "number" ? (flags & 3) !== 0 : /[wa+]/.test(String(flags ?? "r"))))
    return false;
  // The program's own output is another matter.
  if (typeof file === "number") return file > 2;
  const place = file instanceof URL ? file.pathname : String(file);
  if (place === fault.list) return false;
  return file === handle || place === fault.below || place.startsWith(`${fault.below}/`);
}

/** The innermost places of the program that are on the stack, without where they lie on the machine. */
function callers(): string {
  const own = import.meta.url;
  const lines = (new Error().stack ?? "").split("\n").filter((line) => line.includes("file:") && !line.includes(own));
  return lines
    .slice(0, 4)
    .map((line) => line.replace(/^\s+at (?:async )?/, "").replace(/file:.*\//, ""))
    .join(" < ");
}

/** Stands for the file that a handle is of. */
const handle = {};

const synchronous = fs as unknown as Calls;
const promised = fs.promises as unknown as Calls;
for (const name of names) {
  const [direct, later] = [synchronous[`${name}Sync`], promised[name]];
  if (direct !== undefined) synchronous[`${name}Sync`] = wrapped(name, direct, raise);
  if (later !== undefined) promised[name] = wrapped(name, later, reject);
}
const opened = await fs.promises.open(process.execPath, "r");
const prototype = Object.getPrototypeOf(opened) as Calls;
await opened.close();
for (const name of onHandles) {
  const real = prototype[name];
  if (real === undefined) continue;
  prototype[name] = function (...words: unknown[]) {
    const failure = failureOf(name, [handle]);
    return failure === undefined ? real.apply(this, words) : reject(failure);
  };
}
syncBuiltinESMExports();

function wrapped(name: string, real: Call, fail: (failure: Error) => unknown): Call {
  const call = function (this: unknown, ...words: unknown[]) {
    const failure = failureOf(name, words);
    return failure === undefined ? real.apply(this, words) : fail(failure);
  };
  // `realpath.native` and its like.
  return Object.assign(call, real);
}

function raise(failure: Error): never {
  throw failure;
}

function reject(failure: Error): Promise<never> {
  return Promise.reject(failure);
}
