/** Lists the leftovers of runs besides their journals: workspaces of attempts, and logs of unfinished attempts. */
import { lstatSync, type Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import { err, ok, type Result } from "../core/result.ts";
import { stateUnreadable, tryIo } from "../platform/files.ts";
import { walkTree } from "../platform/walk.ts";
import { fsPath } from "../text/path-bytes.ts";
import { listWriters } from "./read-journal.ts";

/** A directory that belongs to one run. */
export interface RunLeftovers {
  readonly kind: "workspaces" | "logs";
  readonly run: string;
  readonly directory: string;
}

/** In-place attempts without inputs share this directory, so it belongs to no run. */
const sharedInputs = "no-inputs";

/** All leftovers, sorted by run. Fails with `state-unreadable`. */
export async function listLeftovers(stateDir: string): Promise<Result<readonly RunLeftovers[]>> {
  const found: RunLeftovers[] = [];
  for (const kind of ["logs", "workspaces"] as const) {
    const directory = path.join(stateDir, kind);
    const listed = await tryIo(() => readdir(directory, { withFileTypes: true }));
    if (!listed.ok && listed.error.code !== "ENOENT") return err(stateUnreadable(directory, listed.error));
    for (const entry of listed.ok ? listed.value : []) {
      if (entry.isDirectory() && entry.name !== sharedInputs)
        found.push({ kind, run: entry.name, directory: path.join(directory, entry.name) });
    }
  }
  return ok(found.sort((a, b) => (a.run < b.run ? -1 : a.run > b.run ? 1 : 0)));
}

/** The bytes of all files below a path. Files may disappear meanwhile; links are not followed. */
export async function directorySize(place: string): Promise<number> {
  const stats = sizedAt(place);
  if (stats === undefined || !stats.isDirectory()) return stats?.size ?? 0;
  let total = 0;
  await walkTree(place, {
    visit({ kind, path: file }) {
      if (kind !== "directory") total += sizedAt(fsPath(place, file))?.size ?? 0;
    },
    onDenied: () => undefined,
  });
  return total;
}

function sizedAt(file: string | Buffer): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** When a run's journals were last written, in milliseconds since the epoch; 0 if there are none. Fails as listing does. */
export async function lastWritten(stateDir: string, run: string): Promise<Result<number>> {
  const writers = await listWriters(stateDir, run);
  if (!writers.ok) return writers;
  const times = await Promise.all(
    writers.value.map((writer) => tryIo(async () => (await lstat(path.join(stateDir, "journals", run, `${writer}.jsonl`))).mtimeMs)),
  );
  return ok(Math.max(0, ...times.map((time) => (time.ok ? time.value : 0))));
}
