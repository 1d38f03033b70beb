/** Times and ages as people write them on the command line. Pure. */
import { parseDuration } from "../text/quantity.ts";

const day = 24 * 3_600_000;

/** Milliseconds of a duration, days and weeks included: `12h`, `30d`, `4w`; nothing for any other text. */
export function parseAge(text: string): number | undefined {
  const long = /^(\d+)([dw])$/.exec(text);
  if (long === null) return parseDuration(text);
  return Number(long[1]) * (long[2] === "w" ? 7 : 1) * day;
}

/** Milliseconds since the epoch of an age before `now`, or of a date or time in ISO 8601; nothing for any other text. Without a zone it is the machine's. */
export function parseTime(text: string, now: number): number | undefined {
  const age = parseAge(text);
  if (age !== undefined) return now - age;
  if (!/^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.test(text)) return undefined;
  // A date alone would be read as UTC's.
  const time = Date.parse(text.length === 10 ? `${text}T00:00:00` : text.replace(" ", "T"));
  return Number.isNaN(time) ? undefined : time;
}
