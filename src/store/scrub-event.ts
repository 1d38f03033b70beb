/** Scrubs what is about to be stored. Pure. */
import type { EventPayload } from "../core/event.ts";
import type { Redactor } from "../core/ports.ts";

/** Members whose values are words of the catalogue: a secret that happens to be `passed` must not make state unreadable. */
const words = new Set(["type", "status", "reason", "verdict", "onFailure", "kind"]);

/** A payload without the values of declared secrets. */
export function scrubEvent(payload: EventPayload, redactor: Redactor): EventPayload {
  const scrubbed = redactor.value(payload);
  return scrubbed === payload ? payload : (withWords(payload, scrubbed) as EventPayload);
}

function withWords(given: unknown, scrubbed: unknown): unknown {
  if (Array.isArray(given) && Array.isArray(scrubbed)) return scrubbed.map((member, index) => withWords(given[index], member));
  if (!isRecord(given) || !isRecord(scrubbed)) return scrubbed;
  const members = Object.entries(scrubbed).map(([key, member]) => {
    const own = given[key];
    return [key, words.has(key) && typeof own === "string" ? own : withWords(own, member)];
  });
  return Object.fromEntries(members);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
