/**
 * Locks between processes: a file that names its holder. The lock of a dead holder is taken over by one process at a
 * time. A lock of another host is never taken over, because its holder's death cannot be detected here.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, link, mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { describeIoError, type IoProblem, readRegularFile, tryIo } from "../platform/files.ts";
import { isAlive, type ProcessIdentity, processIdentity } from "../platform/process-identity.ts";

/** The lock of the process that executes a run. */
export function runLockFile(stateDir: string, run: string): string {
  return path.join(stateDir, "locks", `run-${run}`);
}

export interface Lock {
  /** Releases the lock. If the file cannot be removed, the next process takes the lock over once the holder is dead. */
  release(): Promise<void>;
}

/** Why the lock was not taken: a live process holds it, or the file system refused. */
export type LockProblem =
  | { readonly kind: "held"; readonly holder: ProcessIdentity }
  | { readonly kind: "refused"; readonly problem: IoProblem };

/**
 * A holder creates its file and writes its name in two calls. After this time, in milliseconds, the holder of a
 * nameless file counts as dead.
 */
const graceMs = 5_000;

/** Tries once. Creates the lock's directory. */
export async function takeLock(file: string, clock: Clock): Promise<Result<Lock, LockProblem>> {
  const text = JSON.stringify(processIdentity());
  const taken = await tryIo(async () => {
    await mkdir(path.dirname(file), { recursive: true });
    // Tries again if the lock was released meanwhile, or another process is taking it over.
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

/** Tries until the lock is free or `timeoutMs` have passed. */
export async function waitForLock(file: string, clock: Clock, timeoutMs: number): Promise<Result<Lock, LockProblem>> {
  const deadline = clock.monotonic() + timeoutMs;
  for (;;) {
    const taken = await takeLock(file, clock);
    if (taken.ok || taken.error.kind === "refused" || clock.monotonic() >= deadline) return taken;
    await clock.sleep(20);
  }
}

/** The holder of a lock; undefined if the lock is free or its holder is dead. Does not take the lock. */
export async function lockHolder(file: string, clock: Clock): Promise<ProcessIdentity | undefined> {
  const holder = await holderOf(file);
  if (holder !== undefined) return isAlive(holder) ? holder : undefined;
  const there = await tryIo(() => stat(file));
  return there.ok && !(await isStale(file, clock)) ? unknownHolder : undefined;
}

const unknownHolder: ProcessIdentity = { pid: 0, processStart: "", host: "unknown" };

/**
 * Creates a file that names its holder from its first instant: writes a draft and links it. If the file system has no
 * links, creates the file first and then writes to it.
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
    if (!noLinkCodes.has(code)) throw error;
    return createThenWrite(file, text);
  } finally {
    await rm(draft, { force: true });
  }
}

const noLinkCodes: ReadonlySet<string> = new Set(["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK"]);

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
    // A lock must not exist without the name of its holder.
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return true;
}

/**
 * Removes a lock whose holder is dead. Only the process that created the guard file may remove it, and it checks again
 * while it has the guard: of two processes, the second one finds the new lock of the first and keeps it.
 */
async function removeStale(file: string, text: string, clock: Clock): Promise<void> {
  if (!(await isStale(file, clock))) return;
  const guard = `${file}.takeover`;
  if (!(await create(guard, text))) {
    // The process that created the guard died before it removed it.
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
