/**
 * Keeps secrets out of everything that is stored or shown. Replaces the values of declared secrets, and the usual encodings of
 * them, by `***`, and tokens of known shapes by their kind: `[github-token]`. It does not guess what else might be a secret.
 */
import { type ByteSearch, searchFor } from "./byte-search.ts";
import { isDigest } from "./digest.ts";
import type { Redactor } from "./ports.ts";
import { redactStream } from "./redact-stream.ts";
import { secretForms } from "./secret-encodings.ts";
import { tokenShapes } from "./token-shapes.ts";
import { latin1, type TokenShape } from "./token-shapes-match.ts";
import { type ShapeSearch, searchShapes } from "./token-shapes-search.ts";

/** What {@link Redactor.kindOf} calls the value of a declared secret. */
export const declaredKind = "declared secret";

/** A digest holds each short hex text now and then; only matches from this length on are more than chance. */
const shortestInDigest = 16;

/**
 * A redactor for the values of declared secrets and for tokens of known shapes (all, unless `shapes` says otherwise). Values
 * shorter than 4 characters are not scrubbed: they occur in ordinary text. Of values with several lines each line of 8 characters
 * or more counts by itself. Matches that overlap are replaced together, by what the first of them is. In values, numbers are left
 * as they are, and digests unless a long declared secret is in them.
 */
export function createRedactor(
  secrets: readonly string[],
  { shapes = tokenShapes }: { readonly shapes?: readonly TokenShape[] } = {},
): Redactor {
  const forms = secretForms(secrets);
  const search: Search = { declared: searchOf(forms), shapes: searchShapes(shapes) };
  const long = searchOf(forms.filter((form) => form.length >= shortestInDigest));
  const inDigests: Search | undefined = long && { declared: long, shapes: searchShapes([]) };
  const prefixes = shapes.flatMap((shape) => shape.prefixes.map((prefix) => prefix.length));
  // UTF-8 has at most three bytes for a UTF-16 unit.
  const shortest = Math.min(...prefixes, ...forms.map((form) => Math.ceil(form.length / 3)));
  const text = (given: string) => (given.length < shortest ? given : redactText(search, given));
  const string = (given: string) => {
    if (!isDigest(given)) return text(given);
    return inDigests === undefined ? given : redactText(inDigests, given);
  };
  const newKindOf = (after: Uint8Array, before: Uint8Array) => newKind(search, after, before);
  return {
    text,
    value: <T>(value: T): T => redactValue(string, value) as T,
    finds: (bytes) => kindIn(search, bytes) !== undefined,
    kindOf: (bytes) => kindIn(search, bytes),
    newKindOf,
    findsNew: (after, before) => newKindOf(after, before) !== undefined,
    stream: () => redactStream(search.declared, search.shapes),
  };
}

interface Search {
  readonly declared: ByteSearch | undefined;
  readonly shapes: ShapeSearch;
}

function searchOf(forms: readonly Uint8Array[]): ByteSearch | undefined {
  return forms.length === 0 ? undefined : searchFor(forms);
}

function redactText(search: Search, text: string): string {
  const bytes = Buffer.from(text);
  if (kindIn(search, bytes) === undefined) return text;
  const filter = redactStream(search.declared, search.shapes);
  return Buffer.concat([filter.push(bytes), filter.flush()]).toString();
}

/** A value in which nothing is replaced is given back as it is. */
function redactValue(string: (text: string) => string, value: unknown): unknown {
  if (typeof value === "string") return string(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const members = value.map((member) => redactValue(string, member));
    return members.every((member, index) => member === value[index]) ? value : members;
  }
  let changed = false;
  const members = Object.entries(value).map(([key, member]) => {
    const redacted = [string(key), redactValue(string, member)] as const;
    changed ||= redacted[0] !== key || redacted[1] !== member;
    return redacted;
  });
  return changed ? Object.fromEntries(members) : value;
}

function kindIn({ declared, shapes }: Search, bytes: Uint8Array): string | undefined {
  if (declared?.has(bytes) === true) return declaredKind;
  let kind: string | undefined;
  shapes.scan(bytes, 0, true, (token) => {
    kind = token.kind;
    return true;
  });
  return kind;
}

function newKind(search: Search, after: Uint8Array, before: Uint8Array): string | undefined {
  if (kindIn(search, after) === undefined) return undefined;
  const known = new Set<string>();
  visit(search, before, (secret) => {
    known.add(secret);
    return false;
  });
  let found: string | undefined;
  visit(search, after, (secret, kind) => {
    if (known.has(secret)) return false;
    found = kind;
    return true;
  });
  return found;
}

/** Shows every secret until `stop` gives true. */
function visit({ declared, shapes }: Search, bytes: Uint8Array, stop: (secret: string, kind: string) => boolean): void {
  for (const { start, end } of declared?.scan(bytes, 0, true).stretches ?? []) if (stop(latin1(bytes, start, end), declaredKind)) return;
  shapes.scan(bytes, 0, true, ({ kind, start, end, rest }) =>
    stop(latin1(bytes, start, rest === undefined ? end : (rest(bytes, end) ?? bytes.length)), kind),
  );
}
