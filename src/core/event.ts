/**
 * Events: what the journal says. An event is immutable; its line in the journal is an envelope around a payload. The payloads
 * are described, once, by the schemas of `event-schemas.ts`.
 */
import type { Static } from "typebox";
import type { ArtifactRecord, Base, ChangesRecord, eventSchemas, Fingerprint } from "./event-schemas.ts";

export type EventType = keyof typeof eventSchemas;

/** The catalogue's names, for code that must not carry the schemas along. Does not type-check when one is missing. */
const eventTypes: Readonly<Record<EventType, true>> = {
  "writer-opened": true,
  "run-started": true,
  "run-resumed": true,
  "step-reused": true,
  "step-reopened": true,
  "attempt-started": true,
  "contract-checked": true,
  "attempt-passed": true,
  "attempt-failed": true,
  "attempt-cancelled": true,
  "step-finished": true,
  "circuit-opened": true,
  "circuit-reset": true,
  "changes-merged": true,
  "changes-applied": true,
  "rollback-started": true,
  "changes-undone": true,
  "steps-rolled-back": true,
  "alert-sent": true,
  "alert-failed": true,
  published: true,
  "not-published": true,
  "run-finished": true,
  "writer-closed": true,
};

/** Whether a text names an event type. */
export function isEventType(text: string): text is EventType {
  return Object.hasOwn(eventTypes, text);
}

/** What happened, without the envelope. */
export type EventPayload = { [T in EventType]: { readonly type: T } & Readonly<Static<(typeof eventSchemas)[T]>> }[EventType];

/** The payload of one type. */
export type PayloadOf<T extends EventType> = Extract<EventPayload, { type: T }>;

/** What the journal adds. `id` is `writer:seq`; `clock` is a Lamport clock; `ts` is ISO 8601 in UTC. */
export interface Envelope {
  readonly v: 1;
  readonly run: string;
  readonly writer: string;
  /** From 1, without gaps. */
  readonly seq: number;
  readonly clock: number;
  readonly ts: string;
  /** The `hash` of the line before; 64 zeros for the first. */
  readonly prev: string;
  /** SHA-256, in hex, over the line's own bytes up to here. */
  readonly hash: string;
  /** In journals that are signed: `v1:` and an HMAC-SHA-256, in hex, over `hash`. */
  readonly sig?: string;
}

export type WaveEvent = EventPayload & Envelope;
export type EventOf<T extends EventType> = PayloadOf<T> & Envelope;
export type ArtifactRef = Static<typeof ArtifactRecord>;
export type ChangesRef = Static<typeof ChangesRecord>;
export type FingerprintRef = Static<typeof Fingerprint>;
export type BaseRef = Static<typeof Base>;
export type RunOptions = PayloadOf<"run-started">["options"];

/** The order in which events are read: by clock, then writer, then sequence. */
export function compareEvents(a: Envelope, b: Envelope): number {
  return a.clock - b.clock || (a.writer < b.writer ? -1 : a.writer > b.writer ? 1 : 0) || a.seq - b.seq;
}

/** What a run tells the outside; nothing of the run itself changes by it. */
export type OutsideEvent = EventOf<"published" | "not-published" | "alert-sent" | "alert-failed">;

/** Whether an event tells of something that went to the outside, or did not. */
export function isOutsideEvent(event: WaveEvent): event is OutsideEvent {
  return ["published", "not-published", "alert-sent", "alert-failed"].includes(event.type);
}
