/**
 * The run store: writes journals and answers queries about runs. Opening it does no I/O; the database is loaded for the
 * queries that need it.
 */
import { randomBytes } from "node:crypto";
import type { EventPayload, WaveEvent } from "../core/event.ts";
import type { Clock, Journal, Redactor, StateStore } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { createStateDirectory, stateUnwritable, tryIo } from "../platform/files.ts";
import { isAlive, processIdentity } from "../platform/process-identity.ts";
import { findRun } from "./find-run.ts";
import { readHigherRuns } from "./higher-runs.ts";
import { createJournal } from "./journal.ts";
import { lineSigner } from "./line-signature.ts";
import { type Lock, runLockFile, takeLock } from "./lock-file.ts";
import { type OwnBreakers, ownBreakers } from "./own-breakers.ts";
import { projectRun } from "./project-run.ts";
import type { Queries } from "./query-state.ts";
import { type JournalReading, journalFile, mergeEvents, readRun } from "./read-journal.ts";
import { listFromIndex } from "./run-index.ts";

export interface StateRequest {
  readonly stateDir: string;
  /** Scrubs every event before it is stored. */
  readonly redactor: Redactor;
  /** The version of Wave. */
  readonly version: string;
  readonly clock: Clock;
  /** Signs the lines of journals. If undefined, they are not signed. */
  readonly stateKey?: string;
}

/** Opens the store. Creates nothing before the first journal and reads nothing before the first query. */
export function openState(request: StateRequest): StateStore {
  const { stateDir, clock } = request;
  const own = ownBreakers();
  const read = runReader(stateDir);
  let loaded: Promise<Queries> | undefined;
  let higher: Promise<ReadonlySet<string>> | undefined;
  const queries = () => {
    loaded ??= import("./query-state.ts").then(({ openQueries }) => openQueries({ stateDir, clock, isAlive }));
    return loaded;
  };
  const store: StateStore = {
    openJournal: (run) => openJournal(request, own, run),
    listRuns: async (filter = {}) => (await queries()).listRuns(filter),
    recentRuns: async (filter = {}) => (await listFromIndex({ stateDir, isAlive }, filter)) ?? (await queries()).recentRuns(filter),
    allRuns: async () => (await queries()).allRuns(),
    findRun: (selector) =>
      findRun(
        {
          stateDir,
          project: async (run) => {
            const events = await read(run);
            return events.ok ? ok(projectRun(events.value, isAlive)) : events;
          },
          listRuns: store.listRuns,
          findInTables: async (prefix) => (await queries()).findRun(prefix),
        },
        selector,
      ),
    async readEvents(run) {
      if (!isRunName(run)) return err({ reason: "run-not-found", selector: run, candidates: [] });
      const events = await read(run);
      return events.ok && events.value.length === 0 ? err({ reason: "run-not-found", selector: run, candidates: [] }) : events;
    },
    cachedResults: async (pipeline) => (await queries()).cachedResults(pipeline),
    runsEndingAt: async (pipeline, tree) => (await queries()).runsEndingAt(pipeline, tree),
    async breakerWindow(breaker, size) {
      higher ??= readHigherRuns(stateDir);
      return (await queries()).breakerWindow(breaker, size, own.all(), await higher);
    },
  };
  return store;
}

/** Reads runs from their journals. Keeps the last reading, so that following a run reads only new lines. */
function runReader(stateDir: string): (run: string) => Promise<Result<readonly WaveEvent[]>> {
  let last: { readonly run: string; readonly journals: ReadonlyMap<string, JournalReading> } | undefined;
  return async (run) => {
    const read = await readRun(stateDir, run, last?.run === run ? last.journals : undefined);
    if (!read.ok) return read;
    last = { run, journals: new Map(read.value.map((journal) => [journal.writer, journal])) };
    return ok(mergeEvents(read.value));
  };
}

/** Run ids are names of directories. */
function isRunName(run: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(run);
}

async function openJournal(request: StateRequest, own: OwnBreakers, run: string): Promise<Result<Journal>> {
  if (!isRunName(run)) throw new Error(`not a run id: ${run}`);
  const { stateDir, clock } = request;
  const directory = await tryIo(() => createStateDirectory(stateDir));
  if (!directory.ok) return err(stateUnwritable(stateDir, directory.error));
  const file = runLockFile(stateDir, run);
  const lock = await takeLock(file, clock);
  if (!lock.ok) {
    if (lock.error.kind === "refused") return err(stateUnwritable(file, lock.error.problem));
    return err({ reason: "run-active", run, pid: lock.error.holder.pid, host: lock.error.holder.host });
  }
  const journal = await continueRun(request, own, run, lock.value);
  if (!journal.ok) await lock.value.release();
  return journal;
}

async function continueRun(request: StateRequest, own: OwnBreakers, run: string, lock: Lock): Promise<Result<Journal>> {
  const before = await readRun(request.stateDir, run);
  if (!before.ok) return before;
  const writer = `${new Date(request.clock.now()).toISOString().replace(/[-:.]/g, "")}-${randomBytes(4).toString("hex")}`;
  const journal = await createJournal({
    file: journalFile(request.stateDir, run, writer),
    run,
    writer,
    lamport: Math.max(0, ...before.value.map((reading) => reading.clock)),
    opened: openedPayload(request.version),
    redactor: request.redactor,
    clock: request.clock,
    ...(request.stateKey === undefined ? {} : { signer: lineSigner(request.stateKey) }),
    release: () => {
      own.forget(run);
      return lock.release();
    },
  });
  return journal.ok ? ok(own.follow(journal.value, mergeEvents(before.value))) : journal;
}

function openedPayload(version: string): EventPayload {
  const platform = `${process.platform}-${process.arch}`;
  return { type: "writer-opened", ...processIdentity(), wave: version, node: process.version, platform };
}
