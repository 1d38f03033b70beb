/**
 * Writes and checks one line of a journal: an event as JSON whose last members are `prev`, `hash` and, in signed
 * journals, `sig`. Pure; it does not access files or keys.
 */

import { createHash } from "node:crypto";
import { defined } from "../core/defined.ts";
import { type Envelope, type EventPayload, isEventType, journalFormat, type WaveEvent } from "../core/event.ts";

/** The `prev` of a journal's first line. */
export const noHead = "0".repeat(64);

const hashMark = ',"hash":"';
/** `,"hash":"`, 64 digits, `"`; with a signature `,"sig":"v1:`, 64 digits, `"`; then `}`. */
const tail = /^,"hash":"([0-9a-f]{64})"(?:,"sig":"v1:[0-9a-f]{64}")?\}$/;
const plainTailLength = hashMark.length + 64 + 2;
const signedTailLength = plainTailLength + ',"sig":"v1:"'.length + 64;

/** Adds an event's hash, and its signature if there is a key. The line ends with a line feed. */
export function sealEvent(
  envelope: Omit<Envelope, "hash" | "sig">,
  payload: EventPayload,
  sign?: (hash: string) => string,
): { readonly event: WaveEvent; readonly line: string } {
  const { prev, ...front } = envelope;
  const open = { ...front, ...payload, prev };
  const body = JSON.stringify(open).slice(0, -1);
  const hash = createHash("sha256").update(body).digest("hex");
  const sig = sign?.(hash);
  const signed = sig === undefined ? "" : `,"sig":"${sig}"`;
  return { event: { ...open, hash, ...defined({ sig }) }, line: `${body}${hashMark}${hash}"${signed}}\n` };
}

/** A reader's position in one journal. */
export interface JournalPosition {
  readonly run: string;
  readonly writer: string;
  /** Number of the last line; 0 before the first. */
  readonly seq: number;
  readonly head: string;
  readonly clock: number;
  readonly closed: boolean;
}

export type LineReading =
  | { readonly kind: "event"; readonly event: WaveEvent }
  | { readonly kind: "damaged"; readonly detail: string }
  | { readonly kind: "unsupported"; readonly detail: string };

/** Checks a line (without its line feed) against the position before it. */
export function readLine(bytes: Buffer, at: JournalPosition): LineReading {
  const found = tailOf(bytes);
  if (found === undefined) return damaged("it does not end with a hash");
  const { mark, hash } = found;
  if (createHash("sha256").update(bytes.subarray(0, mark)).digest("hex") !== hash) return damaged("its hash does not match its bytes");
  const value = parse(bytes.toString("utf8"));
  if (!isEnvelope(value)) return damaged("it is not an event");
  if (value.v !== journalFormat) return { kind: "unsupported", detail: formatProblem(value.v) };
  const misplaced = placeProblem(value, at);
  if (misplaced !== undefined) return damaged(misplaced);
  return { kind: "event", event: value };
}

function formatProblem(format: number): string {
  const reads = `its journal has format ${format}, and this version of Wave reads only format ${journalFormat}`;
  const other = format < journalFormat ? "an earlier" : "a later";
  return `${reads}: use the version of Wave that wrote it (${other} one), or move the state directory (\`.wave/state\`) away to start without its runs`;
}

/** The offset of a line's tail, and its hash. */
function tailOf(bytes: Buffer): { readonly mark: number; readonly hash: string } | undefined {
  for (const length of [plainTailLength, signedTailLength]) {
    const mark = bytes.length - length;
    const hash = mark < 0 ? undefined : tail.exec(bytes.toString("latin1", mark))?.[1];
    if (hash !== undefined) return { mark, hash };
  }
  return undefined;
}

/** Whether the bytes after the last line feed can be the start of an interrupted write. */
export function isTornLine(bytes: Buffer): boolean {
  const text = bytes.toString("latin1");
  const mark = text.indexOf(hashMark);
  if (mark < 0) return true;
  // A whole line followed by anything but a line feed was not an interrupted write.
  return ![plainTailLength, signedTailLength].some((length) => text.length > mark + length && tail.test(text.slice(mark, mark + length)));
}

function placeProblem(event: WaveEvent, at: JournalPosition): string | undefined {
  if (at.closed) return "it is after the closing line";
  if (event.run !== at.run) return `it belongs to run ${event.run}`;
  if (event.writer !== at.writer) return `it belongs to writer ${event.writer}`;
  if (event.seq !== at.seq + 1) return `its number is ${event.seq}, and ${at.seq + 1} was expected`;
  if (event.prev !== at.head) return "it does not follow the line before it";
  if (event.clock <= at.clock) return "its clock is not later than that of the line before it";
  if ((event.type === "writer-opened") !== (event.seq === 1))
    return "`writer-opened` must be the first line of a journal, and only the first";
  if (event.type === "writer-closed" && event.head !== event.prev) return "its head is not the hash of the line before it";
  return undefined;
}

function damaged(detail: string): LineReading {
  return { kind: "damaged", detail };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The hash already proves that Wave wrote the line; this checks only the members that readers rely on. */
function isEnvelope(value: unknown): value is WaveEvent {
  if (typeof value !== "object" || value === null) return false;
  const line = value as Partial<Record<keyof Envelope | "type", unknown>>;
  const numbers = [line.v, line.seq, line.clock].every((member) => Number.isSafeInteger(member));
  const texts = [line.run, line.writer, line.ts, line.prev, line.hash].every((member) => typeof member === "string");
  return (
    numbers &&
    texts &&
    (line.sig === undefined || typeof line.sig === "string") &&
    typeof line.type === "string" &&
    (line.v !== journalFormat || isEventType(line.type))
  );
}
