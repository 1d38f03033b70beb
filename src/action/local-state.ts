/**
 * Rejects state that is on the machine before a job starts. A commit can contain state files, so their origin is unknown.
 * Only state of an earlier use of the Action in the same job is accepted. It is recognized by a mark outside the checkout,
 * in the runner's directory for the job, which the runner empties between jobs.
 */
import { randomBytes } from "node:crypto";
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { digestOfBytes } from "../core/digest.ts";
import type { Failure } from "../core/failure.ts";
import { err, ok, type Result } from "../core/result.ts";
import { stateUnwritable, tryIo } from "../platform/files.ts";
import { leadsOut } from "../platform/links.ts";
import { isInside } from "../platform/paths.ts";
import { databaseFile } from "../store/database-place.ts";
import type { LineSigner } from "../store/line-signature.ts";
import { listJournalRuns, readRun } from "../store/read-journal.ts";

export interface LocalStateRequest {
  readonly stateDir: string;
  /** The project's directory. */
  readonly root: string;
  /** The checkout. */
  readonly workspace: string;
  /** RUNNER_TEMP. Undefined if the runner does not set it; existing state is then never used. */
  readonly runnerTemp: string | undefined;
  /** Identifies the workflow run, its attempt and the job. State of other jobs is not used. */
  readonly job: string;
  /** Set if journals are signed. State with an unsigned journal is then not used. */
  readonly signer?: LineSigner;
}

/** Directory for rejected state, in the state directory, which git ignores and no workspace contains. */
const rejected = "refused";

/** The state files that affect a run. Used if the state directory contains the project too. */
const parts: ReadonlySet<string> = new Set([
  ...["journals", "blobs", "wave.db", "wave.db.damaged", "higher-runs.json", "base-index.json", "run-index.json", "locks", "workspaces"],
]);

/**
 * Moves state of unknown origin out of the state directory. Returns the path it was moved to, relative to the checkout;
 * undefined if there was none. Fails with `state-unwritable`, including if a link in the checkout leads out of it.
 */
export async function prepareLocalState(request: LocalStateRequest): Promise<Result<string | undefined, Failure>> {
  const { stateDir, workspace } = request;
  if (leadsOut(workspace, stateDir)) {
    return err(stateUnwritable(stateDir, { code: "ELOOP", detail: "a link in the checkout leads out of it" }));
  }
  const prepared = await tryIo(async () => {
    const moved = (await isUsable(request)) ? undefined : await moveAside(request);
    // The database is not signed, so it is rebuilt from the journals.
    if (request.signer !== undefined) await rm(databaseFile(stateDir), { force: true });
    await writeMark(request);
    return moved;
  });
  if (!prepared.ok) return err(stateUnwritable(stateDir, prepared.error));
  return ok(prepared.value === undefined ? undefined : path.relative(workspace, prepared.value));
}

async function isUsable(request: LocalStateRequest): Promise<boolean> {
  const { signer, stateDir } = request;
  return (await isOwn(request)) && (signer === undefined || (await isSigned(stateDir, signer)));
}

async function isSigned(stateDir: string, signer: LineSigner): Promise<boolean> {
  const runs = await listJournalRuns(stateDir);
  for (const run of runs.ok ? runs.value : []) {
    const read = await readRun(stateDir, run);
    if (!read.ok || !read.value.every(({ events }) => events.every(({ hash, sig }) => signer.verify(hash, sig)))) return false;
  }
  return runs.ok;
}

async function isOwn(request: LocalStateRequest): Promise<boolean> {
  const { stateDir, runnerTemp, job } = request;
  const stats = await tryIo(() => lstat(stateDir));
  if (!stats.ok) return stats.error.code === "ENOENT";
  if (!stats.value.isDirectory()) return false;
  if ((await partsIn(request)).length === 0) return true;
  const mark = runnerTemp === undefined ? undefined : await tryIo(() => readFile(markFile(runnerTemp, stateDir), "utf8"));
  return mark?.ok === true && mark.value === job;
}

/** The state files in the state directory. `.gitignore` is not one: Wave creates it there, and a project may commit it. */
async function partsIn({ stateDir, root }: LocalStateRequest): Promise<readonly string[]> {
  const isShared = isInside(stateDir, root);
  return (await readdir(stateDir)).filter((name) => (isShared ? parts.has(name) : name !== ".gitignore" && name !== rejected));
}

/** Only renames, so that no symbolic link is followed. Replaces state that was rejected earlier. */
async function moveAside(request: LocalStateRequest): Promise<string> {
  const { stateDir } = request;
  const target = path.join(stateDir, rejected);
  if ((await lstat(stateDir)).isDirectory()) {
    const names = await partsIn(request);
    await rm(target, { recursive: true, force: true });
    await mkdir(target);
    for (const name of names) await rename(path.join(stateDir, name), path.join(target, name));
  } else {
    // A file or a link is in the place of the state directory.
    const moved = `${stateDir}.${randomBytes(4).toString("hex")}`;
    await rename(stateDir, moved);
    await mkdir(target, { recursive: true });
    await rename(moved, path.join(target, path.basename(stateDir)));
  }
  return target;
}

async function writeMark({ stateDir, runnerTemp, job }: LocalStateRequest): Promise<void> {
  if (runnerTemp === undefined) return;
  const file = markFile(runnerTemp, stateDir);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, job);
}

function markFile(runnerTemp: string, stateDir: string): string {
  return path.join(runnerTemp, "wave", `state-${digestOfBytes(stateDir).slice("sha256:".length, "sha256:".length + 16)}`);
}
