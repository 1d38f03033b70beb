/** Parses how long a service wants clients to wait. Pure. */

/** If a service requests a longer wait, the step fails instead. Milliseconds. */
export const longestRetryAfter = 10 * 60_000;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * The wait in milliseconds from `retry-after-ms`, or from `retry-after` in seconds or as an HTTP date (RFC 9110, section 10.2.3).
 * Undefined if both are missing or invalid. 0 for a date in the past.
 */
export function retryAfterOf(headers: Readonly<Record<string, string | undefined>>, now: number): number | undefined {
  const exact = Number(headers["retry-after-ms"] ?? Number.NaN);
  if (exact >= 0) return exact;
  const value = headers["retry-after"]?.trim() ?? "";
  if (/^\d+(?:\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = /[A-Za-z]/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The wait in milliseconds from an error message, such as "Please try again in 1.5s" or "retry after 20 seconds". */
export function retryAfterIn(message: string): number | undefined {
  const found = /\b(?:try again|retry|retrying) (?:in|after) (\d{1,6}(?:\.\d{1,3})?) ?(ms|h|m|s)[a-z]*\b/i.exec(message);
  const unit = unitMs[found?.[2]?.toLowerCase() ?? ""];
  return found === null || unit === undefined ? undefined : Number(found[1]) * unit;
}
