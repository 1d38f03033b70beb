/** Reads the logs of attempts, even while another process writes them. */
import { open } from "node:fs/promises";
import type { Failure } from "../core/failure.ts";
import { ok, type Result } from "../core/result.ts";
import type { AttemptRecord, RunRecord } from "../core/state.ts";
import { systemClock } from "../platform/clock.ts";
import { blobsOf } from "../store/archived-run.ts";
import type { ReadonlyRunStore } from "./open-project.ts";
import { type LogFilter, type SelectedLog, selectLogs } from "./select-logs.ts";

/** New output of an attempt, or its failure once it has ended. */
export type LogPiece = { readonly step: string; readonly attempt: number } & (
  | { readonly kind: "output"; readonly bytes: Uint8Array }
  | { readonly kind: "failure"; readonly failure: NonNullable<AttemptRecord["failure"]> }
);

export interface FollowRequest {
  readonly store: ReadonlyRunStore;
  readonly run: RunRecord;
  readonly filter: LogFilter;
  /** Whether to continue until the run ends, or `signal` aborts. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Failures are reported with the filter `errors` only, once each. */
  readonly onPiece: (piece: LogPiece) => void;
}

/** Between reads of a live log, in milliseconds. */
const pollMs = 200;

/** Reports the selected logs. Returns how many attempts were selected. */
export async function followLogs(request: FollowRequest): Promise<Result<number>> {
  const { store, filter, follow, signal } = request;
  /** Bytes reported so far, by attempt. */
  const offsets = new Map<string, number>();
  const explained = new Set<string>();
  const seen = new Set<string>();
  const begun = new Map<string, number>();
  let run = request.run;
  for (;;) {
    for (const log of selectLogs(run, filter, begun)) {
      seen.add(keyOf(log));
      // A log that is printed in part is continued even after the next attempt has begun.
      if (follow && !begun.has(log.step)) begun.set(log.step, log.attempt);
      const reported = await reportNew(request, { run, log, offsets, explained });
      if (!reported.ok) return reported;
    }
    if (!follow || run.status !== "running" || signal.aborted) return ok(seen.size);
    await systemClock.sleep(pollMs, signal);
    const again = await store.state.findRun(run.id);
    if (!again.ok) return again;
    run = again.value;
  }
}

interface Progress {
  readonly run: RunRecord;
  readonly log: SelectedLog;
  readonly offsets: Map<string, number>;
  readonly explained: Set<string>;
}

async function reportNew(
  { store, filter, onPiece }: FollowRequest,
  { run, log, offsets, explained }: Progress,
): Promise<Result<void, Failure>> {
  const [key, { step, attempt }, { failure }] = [keyOf(log), log, log.record];
  const offset = offsets.get(key) ?? 0;
  const bytes = await readLog(store, run, log, offset);
  if (!bytes.ok) return bytes;
  if (bytes.value.length > 0) {
    offsets.set(key, offset + bytes.value.length);
    onPiece({ step, attempt, kind: "output", bytes: bytes.value });
  }
  if (filter.errors && failure !== undefined && !explained.has(key)) {
    explained.add(key);
    onPiece({ step, attempt, kind: "failure", failure });
  }
  return ok(undefined);
}

function keyOf({ step, attempt }: SelectedLog): string {
  return `${step}.${attempt}`;
}

/** A log from an offset: the stored one once the attempt has ended, before that the live file. */
async function readLog(store: ReadonlyRunStore, run: RunRecord, log: SelectedLog, offset: number): Promise<Result<Uint8Array>> {
  if (log.record.log !== undefined) {
    const stored = await blobsOf(run, store.blobs).get(log.record.log);
    return stored.ok ? ok(stored.value.subarray(offset)) : stored;
  }
  try {
    const file = await open(`${store.stateDir}/logs/${run.id}/${keyOf(log)}.log`);
    try {
      const { size } = await file.stat();
      const bytes = Buffer.alloc(Math.max(0, size - offset));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
      return ok(bytes.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch {
    // A step without output has no file.
    return ok(new Uint8Array());
  }
}
