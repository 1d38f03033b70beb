/**
 * Verifies state: every line of every journal, every blob, the database, and their consistency. Does not repair anything. It cannot
 * detect deliberate changes: anyone who can write state can also recompute hashes and the seal (`docs/state.md`).
 */
import { existsSync } from "node:fs";
import { type BlobFile, blobFile, digestOfFile, listBlobs } from "../blobs/blob-files.ts";
import type { Digest } from "../core/digest.ts";
import type { WaveEvent } from "../core/event.ts";
import { ok, type Result } from "../core/result.ts";
import { systemClock } from "../platform/clock.ts";
import { tryIo } from "../platform/files.ts";
import { type BlobReference, listedIn, referencesOf } from "../store/blob-references.ts";
import { databaseFile } from "../store/database-place.ts";
import { withMaintenanceLock } from "../store/maintenance-lock.ts";
import { journalFile } from "../store/read-journal.ts";
import type { Finding } from "../store/verify-journals.ts";
import { checkRecords } from "../store/verify-records.ts";
import type { RunStore } from "./open-project.ts";

/** The number of verified parts, and the problems. `bytes`: of all blobs. Archived runs are only in the database. */
export interface Verification {
  readonly findings: readonly Finding[];
  readonly runs: number;
  readonly archived: number;
  readonly events: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly database: boolean;
}

/** How many blobs are read in parallel. */
const parallel = 8;

/** Damage is a finding, not a failure. Fails if state cannot be read, or is locked. */
export async function verifyState({ stateDir, blobs }: Pick<RunStore, "stateDir" | "blobs">): Promise<Result<Verification>> {
  if (!existsSync(stateDir)) return ok({ findings: [], runs: 0, archived: 0, events: 0, blobs: 0, bytes: 0, database: false });
  return withMaintenanceLock(stateDir, systemClock, "reads", async () => {
    const wanted = new Map<Digest, Wanted>();
    const records = await checkRecords(stateDir, databaseFile(stateDir), (events) => {
      for (const event of events) note(wanted, stateDir, event);
    });
    if (!records.ok) return records;
    const listed = await listBlobs(stateDir);
    if (!listed.ok) return listed;
    const there = new Set(listed.value.blobs.map(({ digest }) => digest));
    const damaged = await damagedBlobs(listed.value.blobs);
    const missing = await missingBlobs(stateDir, blobs, wanted, { there, damaged });
    const { findings, ...counts } = records.value;
    const broken = [...damaged.values()].map(({ file, digest }) => ({ file, detail: `its bytes are not those of ${digest}` }));
    const bytes = listed.value.blobs.reduce((sum, { size }) => sum + size, 0);
    return ok({ ...counts, findings: [...findings, ...broken, ...missing], blobs: there.size, bytes });
  });
}

/** A blob and the first event that refers to it. */
interface Wanted extends BlobReference {
  readonly by: string;
}

function note(wanted: Map<Digest, Wanted>, stateDir: string, event: WaveEvent): void {
  for (const reference of referencesOf(event)) {
    if (!wanted.has(reference.digest))
      wanted.set(reference.digest, { ...reference, by: `${journalFile(stateDir, event.run, event.writer)}:${event.seq}` });
  }
}

async function damagedBlobs(blobs: readonly BlobFile[]): Promise<ReadonlyMap<Digest, BlobFile>> {
  const damaged = new Map<Digest, BlobFile>();
  const queue = [...blobs];
  const work = async () => {
    for (let blob = queue.pop(); blob !== undefined; blob = queue.pop()) {
      const { file, digest } = blob;
      const found = await tryIo(() => digestOfFile(file));
      if (!found.ok || found.value !== digest) damaged.set(digest, blob);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return new Map([...damaged].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function missingBlobs(
  stateDir: string,
  blobs: RunStore["blobs"],
  wanted: ReadonlyMap<Digest, Wanted>,
  { there, damaged }: { readonly there: ReadonlySet<Digest>; readonly damaged: ReadonlyMap<Digest, unknown> },
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const reported = new Set<Digest>();
  const reportMissing = (digest: Digest, { by, as }: Wanted, listed: string) => {
    if (there.has(digest) || reported.has(digest)) return;
    reported.add(digest);
    findings.push({ file: blobFile(stateDir, digest), detail: `the blob is missing; ${by} refers to ${as}${listed}` });
  };
  for (const [digest, reference] of wanted) {
    reportMissing(digest, reference, "");
    if (!there.has(digest) || damaged.has(digest)) continue;
    const members = await listedIn(blobs, reference);
    if (members.ok) for (const member of members.value) reportMissing(member, reference, ", where it is listed");
    else
      findings.push({ file: blobFile(stateDir, digest), detail: `the blob does not contain ${reference.as}, contrary to ${reference.by}` });
  }
  return findings;
}
