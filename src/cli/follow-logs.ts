/** Reads logs of attempts, also while another process writes them. */
import { open } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import type { Io } from "../core/io.ts";
import { ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import type { ReadonlyRunStore } from "../engine/open-project.ts";
import { systemClock } from "../platform/clock.ts";
import { attemptFailureText } from "../reporters/console/attempt-failure-text.ts";
import { blobsOf } from "../store/archived-run.ts";
import { printable } from "../text/printable.ts";
import { printJson } from "./define-command.ts";
import { type AttemptLog, selectLogs, type WantedLogs } from "./select-logs.ts";

export interface FollowRequest {
  readonly store: ReadonlyRunStore;
  readonly run: RunRecord;
  readonly wanted: WantedLogs;
  readonly follow: boolean;
  readonly json: boolean;
  readonly io: Io;
}

/** How long to wait before looking at a live log again, in milliseconds. */
const lookAgainMs = 200;

const lineFeed = 0x0a;

/** Prints the wanted logs; with `follow`, until the run ends or the reader is interrupted. Gives how many attempts were wanted. */
export async function followLogs(request: FollowRequest): Promise<Result<number>> {
  const { store, wanted, follow, io } = request;
  const printer = printerOf(request);
  const seen = new Set<string>();
  const begun = new Map<string, number>();
  let run = request.run;
  for (;;) {
    for (const log of selectLogs(run, wanted, begun)) {
      seen.add(keyOf(log));
      // What is printed in part is printed to its end, also when the next attempt has begun.
      if (follow && !begun.has(log.step)) begun.set(log.step, log.attempt);
      const printed = await printNew(request, run, log, printer);
      if (!printed.ok) return printed;
    }
    if (!follow || run.status !== "running" || io.signal.aborted) return ok(seen.size);
    await systemClock.sleep(lookAgainMs, io.signal);
    const again = await store.state.findRun(run.id);
    if (!again.ok) return again;
    run = again.value;
  }
}

interface Printer {
  readonly print: (log: AttemptLog, bytes: Uint8Array) => void;
  /** Says why an attempt failed, once. */
  readonly explain: (log: AttemptLog) => void;
  /** Bytes printed so far, by attempt. */
  readonly offsets: Map<string, number>;
}

function printerOf({ json, wanted, io }: FollowRequest): Printer {
  let last = "";
  let midLine = false;
  const explained = new Set<string>();
  /** Bytes of a character that is not whole yet, by attempt. */
  const decoders = new Map<string, StringDecoder>();
  const begin = (title: string) => {
    const one = wanted.step !== undefined && !wanted.errors && wanted.since === undefined;
    if (!one && title !== last) io.stdout.write(`${midLine ? "\n" : ""}==> ${printable(title)} <==\n`);
    last = title;
  };
  const print = (log: AttemptLog, bytes: Uint8Array) => {
    if (json) {
      const { step, attempt } = log;
      const decoder = decoders.get(keyOf(log)) ?? new StringDecoder("utf8");
      decoders.set(keyOf(log), decoder);
      printJson(io, { step, attempt, text: decoder.write(Buffer.from(bytes)) });
      return;
    }
    begin(titleOf(log));
    io.stdout.writeData(bytes);
    midLine = bytes.at(-1) !== lineFeed;
  };
  const explain = (log: AttemptLog) => {
    const { step, attempt, record } = log;
    if (!wanted.errors || record.failure === undefined || explained.has(keyOf(log))) return;
    explained.add(keyOf(log));
    if (json) {
      printJson(io, { step, attempt, failure: record.failure });
      return;
    }
    const breaks = midLine && last === titleOf(log);
    begin(titleOf(log));
    io.stdout.write(`${breaks ? "\n" : ""}${attemptFailureText(record.failure, io.stdout.color)}`);
    midLine = false;
  };
  return { print, explain, offsets: new Map() };
}

function titleOf({ step, attempt }: AttemptLog): string {
  return `${step} (attempt ${attempt})`;
}

function keyOf({ step, attempt }: Pick<AttemptLog, "step" | "attempt">): string {
  return `${step}.${attempt}`;
}

async function printNew(request: FollowRequest, run: RunRecord, log: AttemptLog, printer: Printer): Promise<Result<void>> {
  const key = keyOf(log);
  const offset = printer.offsets.get(key) ?? 0;
  const bytes = await readLog(request.store, run, log, offset);
  if (!bytes.ok) return bytes;
  if (bytes.value.length > 0) {
    printer.offsets.set(key, offset + bytes.value.length);
    printer.print(log, bytes.value);
  }
  printer.explain(log);
  return ok(undefined);
}

/** The log from an offset on: the stored one once the attempt has ended, else the live file. */
async function readLog(store: ReadonlyRunStore, run: RunRecord, log: AttemptLog, offset: number): Promise<Result<Uint8Array>> {
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
    // A step that printed nothing has no file.
    return ok(new Uint8Array());
  }
}
