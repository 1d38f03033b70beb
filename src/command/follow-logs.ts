/** Reads logs of attempts, also while another process writes them. */
import { open } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import type { Io } from "../model/io.ts";
import { ok, type Result } from "../model/result.ts";
import type { RunRecord } from "../model/state.ts";
import type { Memory } from "../open-project.ts";
import { systemClock } from "../platform/clock.ts";

export interface FollowRequest {
  readonly memory: Memory;
  readonly run: RunRecord;
  readonly wanted: { readonly step?: string; readonly attempt?: number };
  readonly follow: boolean;
  readonly json: boolean;
  readonly io: Io;
}

/** How long to wait before looking at a live log again, in milliseconds. */
const lookAgainMs = 200;

/** Prints the wanted logs; with `follow`, until the run ends or the reader is interrupted. */
export async function followLogs(request: FollowRequest): Promise<Result<void>> {
  const { memory, wanted, io } = request;
  const printer = printerOf(request);
  let run = request.run;
  for (;;) {
    for (const log of wantedLogs(run, wanted.step, wanted.attempt)) {
      const printed = await printNew(request, run, log, printer);
      if (!printed.ok) return printed;
    }
    if (!request.follow || run.status !== "running" || io.signal.aborted) return ok(undefined);
    await systemClock.sleep(lookAgainMs, io.signal);
    const again = await memory.state.findRun(run.id);
    if (!again.ok) return again;
    run = again.value;
  }
}

/** One attempt whose log is wanted. */
interface WantedLog {
  readonly step: string;
  readonly attempt: number;
}

/** The attempts that the options mean, as far as the run has come. */
function wantedLogs(run: RunRecord, step: string | undefined, attempt: number | undefined): readonly WantedLog[] {
  return run.steps
    .filter((record) => step === undefined || record.id === step)
    .flatMap((record) => {
      const chosen = attempt === undefined ? record.attempts.slice(-1) : record.attempts.filter((one) => one.attempt === attempt);
      return chosen.map((one) => ({ step: record.id, attempt: one.attempt }));
    });
}

interface Printer {
  readonly print: (log: WantedLog, text: string) => void;
  /** Bytes printed so far, by `step.attempt`. */
  readonly offsets: Map<string, number>;
  /** Bytes of a character that is not whole yet, by `step.attempt`. */
  readonly decoders: Map<string, StringDecoder>;
}

function printerOf({ json, wanted, io }: FollowRequest): Printer {
  let last = "";
  const print = (log: WantedLog, text: string) => {
    if (json) {
      io.stdout.write(`${JSON.stringify({ ...log, text })}\n`);
      return;
    }
    const title = `${log.step} (attempt ${log.attempt})`;
    if (wanted.step === undefined && title !== last) io.stdout.write(`==> ${title} <==\n`);
    last = title;
    io.stdout.write(text);
  };
  return { print, offsets: new Map(), decoders: new Map() };
}

async function printNew(request: FollowRequest, run: RunRecord, log: WantedLog, printer: Printer): Promise<Result<void>> {
  const key = `${log.step}.${log.attempt}`;
  const offset = printer.offsets.get(key) ?? 0;
  const bytes = await readLog(request.memory, run, log, offset);
  if (!bytes.ok) return bytes;
  if (bytes.value.length === 0) return ok(undefined);
  printer.offsets.set(key, offset + bytes.value.length);
  const decoder = printer.decoders.get(key) ?? new StringDecoder("utf8");
  printer.decoders.set(key, decoder);
  printer.print(log, decoder.write(Buffer.from(bytes.value)));
  return ok(undefined);
}

/** The log from an offset on: the stored one once the attempt has ended, else the live file. */
async function readLog(memory: Memory, run: RunRecord, log: WantedLog, offset: number): Promise<Result<Uint8Array>> {
  const record = run.steps.find((step) => step.id === log.step)?.attempts.find((one) => one.attempt === log.attempt);
  if (record?.log !== undefined) {
    const stored = await memory.blobs.get(record.log);
    return stored.ok ? ok(stored.value.subarray(offset)) : stored;
  }
  try {
    const file = await open(`${memory.stateDir}/logs/${run.id}/${log.step}.${log.attempt}.log`);
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
