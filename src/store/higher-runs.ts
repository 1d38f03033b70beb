/**
 * Which runs in the state of a job on a fork's code came from carriers of a higher trust level. The windows of circuit breakers span runs of one level,
 * so these are left out of them. The list can only take runs out: a carrier that claims too much evades its own breakers, as it could by not
 * handing its runs on.
 */
import { lstat, readFile } from "node:fs/promises";
import path from "node:path";
import { ok, type Result } from "../core/result.ts";
import { type IoProblem, tryIo, writeFileDurably } from "../platform/files.ts";

/** In bytes. */
const limit = 1e6;

/** Where the list is, relative to a state directory. */
export function higherRunsFile(stateDir: string): string {
  return path.join(stateDir, "higher-runs.json");
}

/** The runs of a state directory's list; none if there is no list, or what is there is none. */
export async function readHigherRuns(stateDir: string): Promise<ReadonlySet<string>> {
  const file = higherRunsFile(stateDir);
  const read = await tryIo(async () => {
    const found = await lstat(file);
    return found.isFile() && found.size <= limit ? readFile(file, "utf8") : "";
  });
  return new Set(read.ok ? namesIn(read.value) : []);
}

/** Adds runs to the list. */
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
