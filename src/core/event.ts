/**
 * Event types. A journal line is an envelope around a payload. The payload types are inferred from the schemas in
 * `event-schemas.ts`.
 */
import type { Static } from "typebox";
import type { ArtifactRecord, Base, ChangesRecord, eventSchemas, Fingerprint } from "./event-schemas.ts";

/** The version of the journal's format: the only one that Wave writes and reads. */
export const journalFormat = 2;

export type EventType = keyof typeof eventSchemas;

/** All event types, for code that must not bundle the schemas. The compiler reports a missing one. */
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

/** Whether `text` is an event type. */
export function isEventType(text: string): text is EventType {
  return Object.hasOwn(eventTypes, text);
}

/** An event without its envelope. */
export type EventPayload = { [T in EventType]: { readonly type: T } & Readonly<Static<(typeof eventSchemas)[T]>> }[EventType];

export type PayloadOf<T extends EventType> = Extract<EventPayload, { type: T }>;

/** The members that the journal adds to a payload. `clock` is a Lamport clock; `ts` is ISO 8601 in UTC. `writer:seq` identifies an event. */
export interface Envelope {
  readonly v: typeof journalFormat;
  readonly run: string;
  readonly writer: string;
  /** From 1, without gaps. */
  readonly seq: number;
  readonly clock: number;
  readonly ts: string;
  /** `hash` of the previous line; 64 zeros for the first. */
  readonly prev: string;
  /** SHA-256, in hex, over the line's bytes before this member. */
  readonly hash: string;
  /** In signed journals, `v1:` and an HMAC-SHA-256, in hex, over `hash`. */
  readonly sig?: string;
}

export type WaveEvent = EventPayload & Envelope;
export type EventOf<T extends EventType> = PayloadOf<T> & Envelope;
export type ArtifactRef = Static<typeof ArtifactRecord>;
export type ChangesRef = Static<typeof ChangesRecord>;
export type FingerprintRef = Static<typeof Fingerprint>;
export type BaseRef = Static<typeof Base>;
export type RunOptions = PayloadOf<"run-started">["options"];

/** Orders events by clock, then writer, then sequence number. */
export function compareEvents(a: Envelope, b: Envelope): number {
  return a.clock - b.clock || (a.writer < b.writer ? -1 : a.writer > b.writer ? 1 : 0) || a.seq - b.seq;
}

/** Events about deliveries to other systems. They do not affect the run's state. */
export type OutsideEvent = EventOf<"published" | "not-published" | "alert-sent" | "alert-failed">;

export function isOutsideEvent(event: WaveEvent): event is OutsideEvent {
  return ["published", "not-published", "alert-sent", "alert-failed"].includes(event.type);
}

/** Identifies an attempt of a step. */
export interface AttemptId {
  readonly runId: string;
  /** From 1. */
  readonly number: number;
}
