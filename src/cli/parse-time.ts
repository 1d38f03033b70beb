/** Parses times and ages of command-line options. Pure. */
import { parseDuration } from "../text/quantity.ts";

const day = 24 * 3_600_000;

/** Milliseconds of a duration, days and weeks included: `12h`, `30d`, `4w`. Undefined for any other text. */
export function parseAge(text: string): number | undefined {
  const long = /^(\d+)([dw])$/.exec(text);
  if (long === null) return parseDuration(text);
  return Number(long[1]) * (long[2] === "w" ? 7 : 1) * day;
}

/** Milliseconds since the epoch of an age before `now`, or of an ISO 8601 date or time, in local time without a zone. Undefined for any other text. */
export function parseTime(text: string, now: number): number | undefined {
  const age = parseAge(text);
  if (age !== undefined) return now - age;
  if (!/^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.test(text)) return undefined;
  // `Date.parse` reads a date alone as UTC.
  const time = Date.parse(text.length === 10 ? `${text}T00:00:00` : text.replace(" ", "T"));
  return Number.isNaN(time) ? undefined : time;
}
