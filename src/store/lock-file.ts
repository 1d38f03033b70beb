/**
 * Locks between processes: a file that names its holder. A lock whose holder died is taken over, by one taker at a time. A
 * lock of another host is never taken over, since nothing here shows that its holder died.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, link, mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError, type IoProblem, readRegularFile, tryIo } from "../platform/files.ts";
import { isAlive, type ProcessIdentity, processIdentity } from "../platform/process-identity.ts";

/** The lock of whoever executes a run. */
export function runLockFile(stateDir: string, run: string): string {
  return path.join(stateDir, "locks", `run-${run}`);
}

export interface Lock {
  /** Gives the lock back; what the file system refuses then is left for the next taker, who sees that the holder is gone. */
  release(): Promise<void>;
}

/** Why there is no lock: somebody alive holds it, or the file system refuses. */
export type LockProblem =
  | { readonly kind: "held"; readonly holder: ProcessIdentity }
  | { readonly kind: "refused"; readonly problem: IoProblem };

/** A holder creates its file and names itself in two calls. After this long, in milliseconds, a nameless file is a dead one's. */
const graceMs = 5_000;

/** Tries once. Creates the lock's directory. */
export async function takeLock(file: string, clock: Clock): Promise<Result<Lock, LockProblem>> {
  const text = JSON.stringify(processIdentity());
  const taken = await tryIo(async () => {
    await mkdir(path.dirname(file), { recursive: true });
    // Again where the lock went away meanwhile, or another taker is at work on a dead one's.
    for (let round = 0; round < 20; round++) {
      if (await create(file, text)) return undefined;
      const holder = await holderOf(file);
      if (holder !== undefined && isAlive(holder)) return holder;
      await removeStale(file, text, clock);
      await clock.sleep(round);
    }
    return unknownHolder;
  });
  if (!taken.ok) return err({ kind: "refused", problem: taken.error });
  return taken.value === undefined ? ok({ release: () => release(file, text) }) : err({ kind: "held", holder: taken.value });
}

/** Tries until the lock is free or `patienceMs` have passed. */
export async function waitForLock(file: string, clock: Clock, patienceMs: number): Promise<Result<Lock, LockProblem>> {
  const deadline = clock.monotonic() + patienceMs;
  for (;;) {
    const taken = await takeLock(file, clock);
    if (taken.ok || taken.error.kind === "refused" || clock.monotonic() >= deadline) return taken;
    await clock.sleep(20);
  }
}

/** Who holds a lock now, without taking it; nothing where it is free, or its holder is dead. */
export async function lockHolder(file: string, clock: Clock): Promise<ProcessIdentity | undefined> {
  const holder = await holderOf(file);
  if (holder !== undefined) return isAlive(holder) ? holder : undefined;
  const there = await tryIo(() => stat(file));
  return there.ok && !(await isStale(file, clock)) ? unknownHolder : undefined;
}

const unknownHolder: ProcessIdentity = { pid: 0, processStart: "", host: "unknown" };

/**
 * Creates a file that names its holder from the first instant: written under another name and linked. Where the file system has no links, it is
 * created first and written then.
 */
async function create(file: string, text: string): Promise<boolean> {
  const draft = `${file}.${randomBytes(4).toString("hex")}.draft`;
  try {
    await writeFile(draft, text, { flag: "wx" });
    await link(draft, file);
    return true;
  } catch (error) {
    const { code } = describeIoError(error);
    if (code === "EEXIST") return false;
    if (!withoutLinks.has(code)) throw error;
    return createThenWrite(file, text);
  } finally {
    await rm(draft, { force: true });
  }
}

const withoutLinks: ReadonlySet<string> = new Set(["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK"]);

async function createThenWrite(file: string, text: string): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(file, "wx");
  } catch (error) {
    if (describeIoError(error).code === "EEXIST") return false;
    throw error;
  }
  try {
    await handle.writeFile(text);
  } catch (error) {
    // A lock that does not say whose it is must not stand.
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return true;
}

/**
 * Removes a lock whose holder is dead. Only the process that created the guard file may remove, and it looks again once it has
 * the guard: of two takers the second finds the first one's fresh lock there, and leaves it.
 */
async function removeStale(file: string, text: string, clock: Clock): Promise<void> {
  if (!(await isStale(file, clock))) return;
  const guard = `${file}.takeover`;
  if (!(await create(guard, text))) {
    // Whoever made the guard died within these few lines.
    if (await isStale(guard, clock)) await rm(guard, { force: true });
    return;
  }
  try {
    if (await isStale(file, clock)) await rm(file, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

async function isStale(file: string, clock: Clock): Promise<boolean> {
  const holder = await holderOf(file);
  if (holder !== undefined) return !isAlive(holder);
  const age = await tryIo(async () => clock.now() - (await stat(file)).mtimeMs);
  return age.ok && age.value > graceMs;
}

async function holderOf(file: string): Promise<ProcessIdentity | undefined> {
  const read = await tryIo(() => readRegularFile(file));
  if (!read.ok || read.value === undefined) return undefined;
  try {
    const { pid, processStart, host } = JSON.parse(read.value.toString()) as Partial<ProcessIdentity>;
    return typeof pid === "number" && typeof processStart === "string" && typeof host === "string"
      ? { pid, processStart, host }
      : undefined;
  } catch {
    return undefined;
  }
}

async function release(file: string, text: string): Promise<void> {
  await tryIo(async () => {
    if ((await readFile(file, "utf8")) === text) await rm(file, { force: true });
  });
}
