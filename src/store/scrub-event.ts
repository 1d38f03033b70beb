/** Removes the values of secrets from events before they are stored. Pure. */
import type { EventPayload } from "../core/event.ts";
import type { Redactor } from "../core/ports.ts";

/** Members with values from a fixed list: a secret whose value is `passed` must not make state unreadable. */
const fixedMembers = new Set(["type", "status", "reason", "verdict", "onFailure", "kind"]);

/** A payload without the values of declared secrets. */
export function scrubEvent(payload: EventPayload, redactor: Redactor): EventPayload {
  const scrubbed = redactor.value(payload);
  return scrubbed === payload ? payload : (withFixedMembers(payload, scrubbed) as EventPayload);
}

function withFixedMembers(given: unknown, scrubbed: unknown): unknown {
  if (Array.isArray(given) && Array.isArray(scrubbed)) return scrubbed.map((member, index) => withFixedMembers(given[index], member));
  if (!isRecord(given) || !isRecord(scrubbed)) return scrubbed;
  const members = Object.entries(scrubbed).map(([key, member]) => {
    const own = given[key];
    return [key, fixedMembers.has(key) && typeof own === "string" ? own : withFixedMembers(own, member)];
  });
  return Object.fromEntries(members);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
