/**
 * State that is on the machine when a job starts to use it. A checkout can contain it: a commit brings any file, so its origin is unknown. Only what an
 * earlier use of the Action in the same job left is used. It is recognised by a mark outside of the checkout, in the runner's directory for the job,
 * which the runner empties between jobs.
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
  /** RUNNER_TEMP; undefined if the runner does not set it: then nothing on the machine is used. */
  readonly runnerTemp: string | undefined;
  /** Of the workflow run, its attempt and the job: what was left for another is not used. */
  readonly job: string;
  /** Set where journals are signed: state with a journal that is not is not used. */
  readonly signer?: LineSigner;
}

/** Where state that is not used is put, in the state directory: git ignores it, and no workspace contains it. */
const aside = "refused";

/** The parts of state that decide something, for a state directory that also contains the project. */
const parts: ReadonlySet<string> = new Set([
  ...["journals", "blobs", "wave.db", "wave.db.damaged", "higher-runs.json", "base-index.json", "run-index.json", "locks", "workspaces"],
]);

/**
 * Makes sure that the state directory holds nothing but what this job left there. Returns the path of what was put aside, relative to the checkout;
 * undefined if nothing was. Fails with `state-unwritable`, also if a link in the checkout leads out of it.
 */
export async function prepareLocalState(request: LocalStateRequest): Promise<Result<string | undefined, Failure>> {
  const { stateDir, workspace } = request;
  if (leadsOut(workspace, stateDir)) {
    return err(stateUnwritable(stateDir, { code: "ELOOP", detail: "a link in the checkout leads out of it" }));
  }
  const settled = await tryIo(async () => {
    const put = (await isUsable(request)) ? undefined : await putAside(request);
    // Rows are signed by nothing.
    if (request.signer !== undefined) await rm(databaseFile(stateDir), { force: true });
    await leaveMark(request);
    return put;
  });
  if (!settled.ok) return err(stateUnwritable(stateDir, settled.error));
  return ok(settled.value === undefined ? undefined : path.relative(workspace, settled.value));
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
  const found = await tryIo(() => lstat(stateDir));
  if (!found.ok) return found.error.code === "ENOENT";
  if (!found.value.isDirectory()) return false;
  if ((await partsIn(request)).length === 0) return true;
  const mark = runnerTemp === undefined ? undefined : await tryIo(() => readFile(markFile(runnerTemp, stateDir), "utf8"));
  return mark?.ok === true && mark.value === job;
}

/** The names in the state directory that have to go. Directories are created with `.gitignore`, which a project may also commit. */
async function partsIn({ stateDir, root }: LocalStateRequest): Promise<readonly string[]> {
  const isShared = isInside(stateDir, root);
  return (await readdir(stateDir)).filter((name) => (isShared ? parts.has(name) : name !== ".gitignore" && name !== aside));
}

/** By renaming alone, so that no link in it is followed. What was put aside before is removed. */
async function putAside(request: LocalStateRequest): Promise<string> {
  const { stateDir } = request;
  const place = path.join(stateDir, aside);
  if ((await lstat(stateDir)).isDirectory()) {
    const names = await partsIn(request);
    await rm(place, { recursive: true, force: true });
    await mkdir(place);
    for (const name of names) await rename(path.join(stateDir, name), path.join(place, name));
  } else {
    // A file or a link is where the directory has to be.
    const moved = `${stateDir}.${randomBytes(4).toString("hex")}`;
    await rename(stateDir, moved);
    await mkdir(place, { recursive: true });
    await rename(moved, path.join(place, path.basename(stateDir)));
  }
  return place;
}

async function leaveMark({ stateDir, runnerTemp, job }: LocalStateRequest): Promise<void> {
  if (runnerTemp === undefined) return;
  const file = markFile(runnerTemp, stateDir);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, job);
}

function markFile(runnerTemp: string, stateDir: string): string {
  return path.join(runnerTemp, "wave", `state-${digestOfBytes(stateDir).slice("sha256:".length, "sha256:".length + 16)}`);
}
