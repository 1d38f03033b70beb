/**
 * Writes one journal: JSON lines, chained by their hashes, on disk before `append` resolves. Overlapping calls share
 * one write and one fsync. After the first write error, every later call fails with the same error. Does not handle
 * locks or interpret events.
 */
import { type FileHandle, mkdir, open } from "node:fs/promises";
import path from "node:path";
import { type EventPayload, journalFormat, type WaveEvent } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import type { Clock, Journal, Redactor } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { stateUnwritable, syncCreated, tryIo, writeAll } from "../platform/files.ts";
import { noHead, sealEvent } from "./journal-line.ts";
import type { LineSigner } from "./line-signature.ts";
import { scrubEvent } from "./scrub-event.ts";

export interface JournalRequest {
  readonly file: string;
  readonly run: string;
  readonly writer: string;
  /** The highest Lamport clock of the run so far. */
  readonly lamport: number;
  /** The journal's first event; it is written together with the first append. */
  readonly opened: EventPayload;
  readonly redactor: Redactor;
  readonly clock: Clock;
  /** Set if journals are signed. */
  readonly signer?: LineSigner;
  /** Called once, when the journal is closed. */
  readonly release: () => Promise<void>;
}

interface Entry {
  readonly payloads: readonly (EventPayload | typeof closing)[];
  readonly resolve: (outcome: Result<readonly WaveEvent[]>) => void;
}

/** Creates the file. Fails with `state-unwritable`, as do the journal's own calls. */
export async function createJournal(request: JournalRequest): Promise<Result<Journal>> {
  const { file, run, writer } = request;
  const created = await tryIo(async () => {
    const directory = path.dirname(file);
    const made = await mkdir(directory, { recursive: true });
    const handle = await open(file, "ax");
    return { handle, sync: () => syncCreated(directory, made) };
  });
  if (!created.ok) return err(stateUnwritable(file, created.error));
  const lines = lineWriter(request, created.value.handle, created.value.sync);
  let closed: Promise<Result<void>> | undefined;
  return ok({
    runId: run,
    writer,
    append(payloads) {
      if (closed !== undefined) throw new Error("a closed journal was appended to");
      return lines.append(payloads);
    },
    close() {
      closed ??= closeJournal(lines, created.value.handle, request);
      return closed;
    },
  });
}

/** Placeholder for `writer-closed`: its `head` is known only when its line is written. */
const closing = Symbol("writer-closed");

interface LineWriter {
  append(payloads: readonly (EventPayload | typeof closing)[]): Promise<Result<readonly WaveEvent[]>>;
}

function lineWriter(request: JournalRequest, handle: FileHandle, syncFirst: () => Promise<void>): LineWriter {
  const at = { seq: 0, clock: request.lamport, head: noHead };
  const queue: Entry[] = [];
  let writeFailure: Failure | undefined;
  let draining = false;

  const seal = (given: EventPayload | typeof closing) => {
    const payload: EventPayload = given === closing ? { type: "writer-closed", head: at.head } : scrubEvent(given, request.redactor);
    const envelope = {
      v: journalFormat,
      run: request.run,
      writer: request.writer,
      seq: ++at.seq,
      clock: ++at.clock,
      ts: new Date(request.clock.now()).toISOString(),
      prev: at.head,
    } as const;
    const sealed = sealEvent(envelope, payload, request.signer?.sign);
    at.head = sealed.event.hash;
    return sealed;
  };
  const write = async (entries: readonly Entry[]) => {
    const first = at.seq === 0;
    const lines = first ? [seal(request.opened).line] : [];
    const batches = entries.map(({ payloads }) =>
      payloads.map((payload) => {
        const { event, line } = seal(payload);
        lines.push(line);
        return event;
      }),
    );
    const written = await tryIo(async () => {
      await writeAll(handle, Buffer.from(lines.join("")));
      await Promise.all([handle.datasync(), first ? syncFirst() : undefined]);
    });
    if (!written.ok) writeFailure = stateUnwritable(request.file, written.error);
    const failure = writeFailure;
    for (const [index, { resolve }] of entries.entries()) resolve(failure === undefined ? ok(batches[index] ?? []) : err(failure));
  };
  const drain = async () => {
    // Lets calls of the same turn share the first write.
    await undefined;
    while (queue.length > 0 && writeFailure === undefined) await write(queue.splice(0));
    for (const { resolve } of queue.splice(0)) if (writeFailure !== undefined) resolve(err(writeFailure));
    draining = false;
  };
  return {
    append: (payloads) =>
      new Promise((resolve) => {
        queue.push({ payloads, resolve });
        if (draining) return;
        draining = true;
        void drain();
      }),
  };
}

async function closeJournal(lines: LineWriter, handle: FileHandle, request: JournalRequest): Promise<Result<void>> {
  const appended = await lines.append([closing]);
  const closed = await tryIo(() => handle.close());
  await request.release();
  if (!appended.ok) return appended;
  return closed.ok ? ok(undefined) : err(stateUnwritable(request.file, closed.error));
}
