/**
 * Keeps declared secrets out of everything that is stored or shown: replaces their values, and the usual encodings of them,
 * by `***`. It knows declared values only: it does not guess what else might be a secret.
 */
import { type ByteSearch, searchFor } from "./byte-search.ts";
import { isDigest } from "./digest.ts";
import type { Redactor } from "./ports.ts";
import { secretForms } from "./secret-encodings.ts";

const stars = Buffer.from("***");

/** A digest holds each short hex text now and then; only matches from this length on are more than chance. */
const shortestInDigest = 16;

const nothingSecret: Redactor = {
  text: (text) => text,
  value: (value) => value,
  finds: () => false,
  stream: () => ({ push: (chunk) => chunk, flush: () => new Uint8Array() }),
};

/**
 * A redactor for the values of declared secrets. Values shorter than 4 characters are not scrubbed: they occur in ordinary
 * text. Of values with several lines each line of 8 characters or more counts by itself. Overlapping matches become one `***`.
 * In values, numbers are left as they are, and digests unless a long secret is in them.
 */
export function createRedactor(secrets: readonly string[]): Redactor {
  const forms = secretForms(secrets);
  if (forms.length === 0) return nothingSecret;
  const search = searchFor(forms);
  const long = forms.filter((form) => form.length >= shortestInDigest);
  const longSearch = long.length === 0 ? undefined : searchFor(long);
  const shortest = Math.min(...forms.map((form) => form.length));
  // UTF-8 has at most three bytes for a UTF-16 unit.
  const text = (given: string) => (given.length * 3 < shortest ? given : redactText(search, given));
  const string = (given: string) => {
    if (!isDigest(given)) return text(given);
    return longSearch === undefined ? given : redactText(longSearch, given);
  };
  return {
    text,
    value: <T>(value: T): T => redactValue(string, value) as T,
    finds: search.has,
    stream: () => redactStream(search),
  };
}

function redactText(search: ByteSearch, text: string): string {
  const bytes = Buffer.from(text);
  if (!search.has(bytes)) return text;
  const filter = redactStream(search);
  return Buffer.concat([filter.push(bytes), filter.flush()]).toString();
}

function redactValue(string: (text: string) => string, value: unknown): unknown {
  if (typeof value === "string") return string(value);
  if (Array.isArray(value)) return value.map((member) => redactValue(string, member));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [string(key), redactValue(string, member)]));
}

function redactStream(search: ByteSearch): ReturnType<Redactor["stream"]> {
  let held: Uint8Array = new Uint8Array();
  /** How many of the held bytes belong to a match that was replaced already. */
  let covered = 0;
  return { push: (chunk) => advance(chunk, false), flush: () => advance(new Uint8Array(), true) };

  function advance(chunk: Uint8Array, last: boolean): Uint8Array {
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const { stretches, settled } = search.scan(bytes, covered, last);
    const out = replaced(bytes, stretches, settled, covered > 0);
    covered = Math.max(0, (stretches.at(-1)?.end ?? 0) - settled);
    // A copy: the caller may use its chunk again.
    held = Buffer.from(bytes.subarray(settled));
    return out;
  }
}

/** The bytes up to `settled`, each stretch as `***`. `begun`: the first stretch goes on one that was replaced before. */
function replaced(bytes: Uint8Array, stretches: readonly { start: number; end: number }[], settled: number, begun: boolean): Uint8Array {
  if (stretches.length === 0) return settled === bytes.length ? bytes : bytes.subarray(0, settled);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const [index, stretch] of stretches.entries()) {
    if (stretch.start > from) parts.push(bytes.subarray(from, stretch.start));
    if (!(begun && index === 0)) parts.push(stars);
    from = stretch.end;
  }
  if (from < settled) parts.push(bytes.subarray(from, settled));
  return Buffer.concat(parts);
}
