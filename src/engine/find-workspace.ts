/** Finds the workspace that an attempt left, and makes it safe to use git in. */
import { existsSync } from "node:fs";
import path from "node:path";
import { err, ok, type Result } from "../core/result.ts";
import { archivedRun } from "../store/archived-run.ts";
import { attemptDirectory, refusedFile } from "../workspace/attempt-dirs.ts";
import { disarmRepositories } from "../workspace/disarm-repositories.ts";
import type { ProjectRequest } from "./open-project.ts";
import { openRun } from "./open-run.ts";

/** Entries of an attempt's directory that users inspect. */
const partNames = ["tree", "upper", "output", "inputs", "home", "tmp", "task.md"] as const;

export interface FoundWorkspace {
  readonly run: string;
  /** Absolute. */
  readonly directory: string;
  /** The parts that exist, by name; absolute paths. */
  readonly parts: Readonly<Record<string, string>>;
}

/** Fails with `usage` if the attempt left no workspace. */
export async function findWorkspace(
  request: ProjectRequest,
  { selector, step: id, attempt }: { readonly selector: string; readonly step: string; readonly attempt: number | undefined },
): Promise<Result<FoundWorkspace>> {
  const opened = await openRun(request, selector, id);
  if (!opened.ok) return opened;
  const { store, run, step } = opened.value;
  // The files of a running attempt are still in use.
  const ended = (step?.attempts ?? []).filter(({ status }) => status !== "running");
  const attempts = ended.map((record) => record.attempt).filter((number) => attempt === undefined || number === attempt);
  const directory = attempts.map((number) => attemptDirectory(store.stateDir, run.id, id, number)).findLast(existsSync);
  if (directory === undefined) {
    if (run.archived === true) return err(archivedRun(run.id, "its workspaces"));
    const message = `step \`${id}\` of run ${run.id} left no workspace`;
    return err({ reason: "usage", message, hint: "only failed attempts leave a workspace" });
  }
  try {
    // A killed run did not disarm the repositories in its workspaces.
    await disarmRepositories(directory);
  } catch (error) {
    return err(refusedFile(error));
  }
  const parts = partNames.map((part) => [part, path.join(directory, part)] as const).filter(([, place]) => existsSync(place));
  return ok({ run: run.id, directory, parts: Object.fromEntries(parts) });
}
