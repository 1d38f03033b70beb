/**
 * Lists the runs, in the state of a job that executes a fork's code, that carriers of a higher trust level brought in.
 * A circuit breaker's window covers runs of one level, so these runs are excluded from it. The list can only exclude
 * runs: a carrier that lists too many evades its own breakers, as it could by not passing on its runs.
 */
import { lstat, readFile } from "node:fs/promises";
import path from "node:path";
import { ok, type Result } from "../core/result.ts";
import { type IoProblem, tryIo, writeFileDurably } from "../platform/files.ts";

/** In bytes. */
const limit = 1e6;

/** The path of the list in a state directory. */
export function higherRunsFile(stateDir: string): string {
  return path.join(stateDir, "higher-runs.json");
}

/** The runs in a state directory's list; empty if there is no readable list. */
export async function readHigherRuns(stateDir: string): Promise<ReadonlySet<string>> {
  const file = higherRunsFile(stateDir);
  const read = await tryIo(async () => {
    const found = await lstat(file);
    return found.isFile() && found.size <= limit ? readFile(file, "utf8") : "";
  });
  return new Set(read.ok ? namesIn(read.value) : []);
}

export async function noteHigherRuns(stateDir: string, runs: Iterable<string>): Promise<Result<void, IoProblem>> {
  const before = await readHigherRuns(stateDir);
  const all = new Set([...before, ...runs]);
  if (all.size === before.size) return ok(undefined);
  return writeFileDurably(higherRunsFile(stateDir), Buffer.from(`${JSON.stringify([...all].sort())}\n`), 0o600);
}

function namesIn(text: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}
