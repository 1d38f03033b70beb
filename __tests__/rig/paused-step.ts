/**
 * A step that stops in the middle until a test lets it continue: it makes a FIFO in its TMPDIR and reads from it. The test is notified by the
 * FIFO's appearance and answers by writing to it, so neither side waits for a time.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { vi } from "vitest";
import type { Finished, Started } from "./project.ts";

/** For a step's shell script. Several pauses follow each other under different names. */
export function pause(name = "pause"): string {
  return `mkfifo "$TMPDIR/${name}"; read _ < "$TMPDIR/${name}"`;
}

/** Waits until an attempt of the run is in the pause, does the work, and lets the attempt continue. Rejects if the run ends before. */
export async function duringPause(root: string, run: Started, work: () => void, name = "pause"): Promise<void> {
  const fifo = await pauseReached(root, run, name);
  work();
  // The write waits until the step has opened it for reading. The workspace of a failed attempt is kept, so the FIFO is removed.
  await writeFile(fifo, "\n");
  rmSync(fifo);
}

/** Waits until an attempt of the run is in the pause, and returns its FIFO. Rejects if the run ends before. */
export async function pauseReached(root: string, run: Started, name = "pause"): Promise<string> {
  let ended: Finished | undefined;
  void run.finished.then((end) => {
    ended = end;
  });
  const workspaces = path.join(root, ".wave/state/workspaces");
  const fifo = await vi.waitFor(
    () => {
      if (ended !== undefined) return "";
      const found = existsSync(workspaces) ? readdirSync(workspaces, { recursive: true, encoding: "utf8" }) : [];
      const place = found.find((file) => file.endsWith(`/tmp/${name}`));
      if (place === undefined) throw new Error("no attempt has come to the pause");
      return path.join(workspaces, place);
    },
    { timeout: 20_000, interval: 20 },
  );
  if (ended !== undefined || fifo === "") throw new Error(`the run ended before the pause:\n${ended?.stdout}${ended?.stderr}`);
  return fifo;
}
