/**
 * Finds the file descriptors that this process inherited and would pass on, besides the standard ones: a shell's `exec 9<…`, make's job
 * server, or one that a CI runner left open. A child could read and write through them, and leave any sandbox through a directory. Node
 * opens its own with close-on-exec and sets this flag for inherited ones, but only up to the first gap above 15 (libuv's
 * `uv_disable_stdio_inheritance`).
 */

import { readFileSync } from "node:fs";
import { readableNames } from "./walk.ts";

/** O_CLOEXEC on Linux, in the octal flags of /proc; fcntl(2). */
const closedAtExec = 0o2000000;

let known: readonly number[] | undefined;

/**
 * The descriptors, ascending. Read once: none is added later. Empty without /proc, so it works on Linux only.
 */
export function inheritedDescriptors(): readonly number[] {
  known ??= process.platform === "linux" ? find() : [];
  return known;
}

function find(): readonly number[] {
  return readableNames("/proc/self/fdinfo")
    .map(Number)
    .filter((descriptor) => descriptor > 2 && isHandedOn(descriptor))
    .sort((a, b) => a - b);
}

/** False for the descriptor with which the directory was read: it is closed by now. */
function isHandedOn(descriptor: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closedAtExec) === 0;
  } catch {
    return false;
  }
}
