/** Ends a child that fills the disk. It counts allocated blocks, so a sparse file counts for the space it occupies. */
import { lstatSync } from "node:fs";
import type { SpawnOutcome } from "../core/ports.ts";
import { entriesBelow } from "../platform/walk.ts";
import { fsPath } from "../text/path-bytes.ts";

/** `bytes`: how much all directories together may grow. `before`: their size at the start; defaults to 0. */
export interface DiskLimit {
  readonly directories: readonly string[];
  readonly bytes: number;
  readonly before?: number;
}

/** Delay of the first scan. Later scans wait 20 times as long as one takes, so that they use at most 5 % of the time. */
const firstScanMs = 500;

/**
 * Runs `work` and watches the disk. The signal passed to `work` is aborted when the limit is exceeded or `signal` is
 * aborted. Without a limit, or if the size at the start is unknown, nothing is watched.
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
  let wasScanned = false;
  const scan = () => {
    wasScanned = true;
    const used = usedBytes(limit.directories) - (limit.before ?? 0);
    if (used > limit.bytes) exceeded = used;
  };
  const watch = () => {
    const began = performance.now();
    scan();
    if (exceeded === undefined) timer = setTimeout(watch, Math.max(firstScanMs, 20 * (performance.now() - began)));
    else control.abort("the disk limit");
  };
  let timer = setTimeout(watch, firstScanMs);
  try {
    const outcome = await work(control.signal);
    // A child may write after the last scan; one that ended before the first had no time to write much.
    if (exceeded === undefined && wasScanned && !signal.aborted) scan();
    return exceeded === undefined || signal.aborted ? outcome : { kind: "disk-exceeded", limitBytes: limit.bytes, usedBytes: exceeded };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
  }
}

/** Disk usage of directories in bytes. Unreadable files and directories count as 0. */
export function usedBytes(directories: readonly string[]): number {
  let sum = 0;
  for (const directory of directories) {
    for (const { kind, path } of entriesBelow(directory, { onDenied: () => undefined })) {
      if (kind !== "directory") sum += (blocksOf(fsPath(directory, path)) ?? 0) * 512;
    }
  }
  return sum;
}

/** Undefined if the file is gone or unreadable. */
function blocksOf(file: string | Buffer): number | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false })?.blocks;
  } catch {
    return undefined;
  }
}
