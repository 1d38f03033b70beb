/**
 * The file descriptors that this process was started with besides its standard ones, and would hand on: a shell's `exec 9<…`, make's job
 * server, whatever a CI runner left open. A child could read and write through them, and leave any fence by one that is a directory. Node
 * opens its own so that they end at `exec`, and marks those that it was given in the same way, but only as far as they follow each other
 * (libuv's `uv_disable_stdio_inheritance` stops at the first gap above 15).
 */
import { readdirSync, readFileSync } from "node:fs";

/** O_CLOEXEC on Linux, in /proc's octal flags; fcntl(2). */
const closedAtExec = 0o2000000;

let known: readonly number[] | undefined;

/**
 * Their numbers, ascending. Looked up once: none is added later. Empty where /proc does not tell, so it holds on Linux only.
 */
export function inheritedDescriptors(): readonly number[] {
  known ??= process.platform === "linux" ? find() : [];
  return known;
}

function find(): readonly number[] {
  return namesIn("/proc/self/fdinfo")
    .map(Number)
    .filter((descriptor) => descriptor > 2 && isHandedOn(descriptor))
    .sort((a, b) => a - b);
}

/** The descriptor that the directory is read with is gone by now. */
function isHandedOn(descriptor: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closedAtExec) === 0;
  } catch {
    return false;
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
