/**
 * Exports state to another job: journals, the blobs that they refer to, and the database. A pack is a directory with the layout of a
 * state directory, which `state-import.ts` imports.
 */
import { constants } from "node:fs";
import { copyFile, link, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { blobFile } from "../blobs/blob-files.ts";
import type { Digest } from "../core/digest.ts";
import type { WaveEvent } from "../core/event.ts";
import type { BlobStore } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { tryIo } from "../platform/files.ts";
import { type BlobReference, listedIn, referencesOf } from "../store/blob-references.ts";
import { databaseFile } from "../store/database-place.ts";
import { higherRunsFile } from "../store/higher-runs.ts";
import { journalFile, listWriters, mergeEvents, readRun } from "../store/read-journal.ts";
import type { RunStore } from "./open-project.ts";

/** The newest runs that fit are exported to the cache. Sizes in bytes. */
const cacheLimits = { runs: 50, journalBytes: 32e6, blobBytes: 256e6 } as const;

/** Every blob that an event refers to, and the blobs that those list. An unreadable list is empty. */
export async function blobsOfEvent(blobs: BlobStore, event: WaveEvent): Promise<readonly Digest[]> {
  const all = new Set<Digest>();
  for (const reference of referencesOf(event)) for (const digest of await withListed(blobs, reference)) all.add(digest);
  return [...all];
}

async function withListed(blobs: BlobStore, reference: BlobReference): Promise<readonly Digest[]> {
  const members = await listedIn(blobs, reference);
  return [reference.digest, ...(members.ok ? members.value : [])];
}

/** Copies one run's journals and some blobs into a directory. Returns the files, and rejects as the file system does. */
export async function packRun(stateDir: string, runId: string, digests: readonly Digest[], into: string): Promise<readonly string[]> {
  return [...(await packJournals(stateDir, runId, into)), ...(await packBlobs(stateDir, digests, into, linkOrCopy))];
}

/**
 * Copies state for later workflow runs into a directory: the newest runs with their blobs, and the database. Fails if state cannot be
 * read, instead of exporting an empty pack. Blobs are copied: the cache's tar fails on a file whose link count changes while it is read.
 */
export async function packForCache({ state, stateDir, blobs }: RunStore, into: string): Promise<Result<void>> {
  // The query also updates the database from the journals.
  const runs = await state.listRuns({ limit: cacheLimits.runs });
  if (!runs.ok) return runs;
  await mkdir(into, { recursive: true });
  let journalBytes = 0;
  let blobBytes = 0;
  for (const { id, archived } of runs.value) {
    const read = archived ? undefined : await readRun(stateDir, id);
    if (read?.ok !== true) continue;
    journalBytes += read.value.reduce((sum, journal) => sum + journal.size, 0);
    if (journalBytes > cacheLimits.journalBytes) break;
    await packJournals(stateDir, id, into);
    for (const event of mergeEvents(read.value)) {
      for (const digest of blobBytes > cacheLimits.blobBytes ? [] : await blobsOfEvent(blobs, event)) {
        const size = await tryIo(() => stat(blobFile(stateDir, digest)));
        if (!size.ok || blobBytes + size.value.size > cacheLimits.blobBytes) continue;
        if ((await packBlobs(stateDir, [digest], into, copy)).length > 0) blobBytes += size.value.size;
      }
    }
  }
  for (const fileIn of [databaseFile, higherRunsFile]) await tryIo(() => copy(fileIn(stateDir), fileIn(into)));
  return ok(undefined);
}

/** Copies only whole lines: another process may be writing the next one. */
async function packJournals(stateDir: string, runId: string, into: string): Promise<readonly string[]> {
  const writers = await listWriters(stateDir, runId);
  const files: string[] = [];
  for (const writer of writers.ok ? writers.value : []) {
    const bytes = await readFile(journalFile(stateDir, runId, writer));
    const file = journalFile(into, runId, writer);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes.subarray(0, bytes.lastIndexOf("\n") + 1));
    files.push(file);
  }
  return files;
}

type CopyFile = (source: string, target: string) => Promise<void>;

/** Skips missing blobs, and blobs that are packed already. */
async function packBlobs(stateDir: string, digests: readonly Digest[], into: string, copyTo: CopyFile): Promise<readonly string[]> {
  const files: string[] = [];
  for (const digest of digests) {
    const file = blobFile(into, digest);
    const packed = await tryIo(async () => {
      await mkdir(path.dirname(file), { recursive: true });
      await copyTo(blobFile(stateDir, digest), file);
    });
    if (packed.ok) files.push(file);
  }
  return files;
}

function copy(source: string, target: string): Promise<void> {
  return copyFile(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
}

async function linkOrCopy(source: string, target: string): Promise<void> {
  await link(source, target).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EXDEV" && error.code !== "EPERM") throw error;
    return copyFile(source, target);
  });
}
