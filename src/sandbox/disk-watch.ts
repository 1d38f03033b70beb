/** Ends a child that fills the disk. It measures allocated blocks, so that a sparse file counts for what it takes. */
import { lstatSync } from "node:fs";
import type { SpawnOutcome } from "../core/ports.ts";
import { entriesBelow } from "../platform/walk.ts";
import { fsPath } from "../text/path-bytes.ts";

/** `bytes` for what is added to all the directories together; `before`: what they held at the start, nothing without it. */
export interface DiskLimit {
  readonly directories: readonly string[];
  readonly bytes: number;
  readonly before?: number;
}

/** The first look comes after this; later ones wait 20 times as long as a look takes, so that the watch costs 5 % at most. */
const firstLookMs = 500;

/**
 * Does what may fill the disk, and gives its outcome as it really was. The signal that it gets is aborted when the limit is exceeded, and when the given
 * one is. Without a limit, or with one that cannot be told from what was there, nothing is watched.
 */
export async function withinDisk(
  limit: DiskLimit | undefined,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<SpawnOutcome>,
): Promise<SpawnOutcome> {
  if (limit === undefined || !Number.isFinite(limit.before ?? 0)) return work(signal);
  const control = new AbortController();
  const cancel = () => control.abort(signal.reason);
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  let exceeded: number | undefined;
  let looked = false;
  const look = () => {
    looked = true;
    const used = usedBytes(limit.directories) - (limit.before ?? 0);
    if (used > limit.bytes) exceeded = used;
  };
  const watch = () => {
    const began = performance.now();
    look();
    if (exceeded === undefined) timer = setTimeout(watch, Math.max(firstLookMs, 20 * (performance.now() - began)));
    else control.abort("the disk limit");
  };
  let timer = setTimeout(watch, firstLookMs);
  try {
    const outcome = await work(control.signal);
    // The last bytes may have come after the last look; a child that was gone before the first had no time to write many.
    if (exceeded === undefined && looked && !signal.aborted) look();
    return exceeded === undefined || signal.aborted ? outcome : { kind: "disk-exceeded", limitBytes: limit.bytes, usedBytes: exceeded };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
  }
}

/** Bytes that directories take on disk. What cannot be read counts as nothing. */
export function usedBytes(directories: readonly string[]): number {
  let sum = 0;
  for (const directory of directories) {
    for (const { kind, path } of entriesBelow(directory, { onDenied: () => undefined })) {
      if (kind !== "directory") sum += (blocksOf(fsPath(directory, path)) ?? 0) * 512;
    }
  }
  return sum;
}

/** Undefined if the file is gone, or closed to us. */
function blocksOf(file: string | Buffer): number | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false })?.blocks;
  } catch {
    return undefined;
  }
}
