/**
 * Keeps secrets out of everything that is stored or shown. Replaces the values of declared secrets, and their usual encodings, by `***`,
 * and tokens of known shapes by their kind: `[github-token]`. It does not guess at other secrets.
 */
import { isDigest } from "../core/digest.ts";
import type { Redactor } from "../core/ports.ts";
import { redactStream } from "./redact-stream.ts";
import { secretPatterns } from "./secret-patterns.ts";
import { type FoundSecret, type SecretSearch, searchSecrets } from "./secret-search.ts";
import { latin1, type TokenShape } from "./token-match.ts";
import { tokenShapes } from "./token-shapes.ts";

/** The {@link Redactor.kindOf} of a declared secret's value. */
export const declaredKind = "declared secret";

/** Digests contain short hex text by chance. Only matches of at least this length count there. */
const shortestInDigest = 16;

/**
 * Creates a redactor for the values of declared secrets and for tokens of known shapes (`shapes` defaults to all). Values shorter than 4
 * characters are not redacted: they occur in ordinary text. In values with several lines, each line of 8 or more characters also counts
 * as a secret. Overlapping matches are replaced together, by the mark of the first. `value` does not change numbers, or digests without
 * a long declared secret.
 */
export function createRedactor(
  secrets: readonly string[],
  { shapes = tokenShapes }: { readonly shapes?: readonly TokenShape[] } = {},
): Redactor {
  const patterns = secretPatterns(secrets);
  const search = searchSecrets(patterns, shapes);
  const long = patterns.filter(({ bytes }) => bytes.length >= shortestInDigest);
  const inDigests = long.length === 0 ? undefined : searchSecrets(long, []);
  // UTF-8 has at most three bytes for a UTF-16 unit.
  const shortest = Math.ceil(search.shortest / 3);
  const text = (plain: string) => (plain.length < shortest ? plain : redactText(search, plain));
  const string = (plain: string) => {
    if (!isDigest(plain)) return text(plain);
    return inDigests === undefined ? plain : redactText(inDigests, plain);
  };
  const newKindOf = (after: Uint8Array, before: Uint8Array) => newKind(search, after, before);
  return {
    text,
    value: <T>(value: T): T => redactValue(string, value) as T,
    finds: (bytes) => kindIn(search, bytes) !== undefined,
    kindOf: (bytes) => kindIn(search, bytes),
    newKindOf,
    findsNew: (after, before) => newKindOf(after, before) !== undefined,
    stream: () => redactStream(search),
  };
}

function redactText(search: SecretSearch, text: string): string {
  const bytes = Buffer.from(text);
  if (kindIn(search, bytes) === undefined) return text;
  const filter = redactStream(search);
  return Buffer.concat([filter.push(bytes), filter.flush()]).toString();
}

/** Returns the value itself if nothing in it is replaced. */
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

function kindIn(search: SecretSearch, bytes: Uint8Array): string | undefined {
  let first: FoundSecret | undefined;
  search.scan(bytes, 0, true, (secret) => {
    first = first === undefined || secret.kind === undefined ? secret : first;
    return secret.kind === undefined;
  });
  return first && (first.kind ?? declaredKind);
}

function newKind(search: SecretSearch, after: Uint8Array, before: Uint8Array): string | undefined {
  if (kindIn(search, after) === undefined) return undefined;
  const known = new Set<string>();
  search.scan(before, 0, true, (secret) => {
    known.add(textOf(secret, before));
    return false;
  });
  let declared = false;
  let kind: string | undefined;
  search.scan(after, 0, true, (secret) => {
    if (known.has(textOf(secret, after))) return false;
    kind ??= secret.kind;
    declared ||= secret.kind === undefined;
    return declared;
  });
  return declared ? declaredKind : kind;
}

function textOf({ start, end, rest }: FoundSecret, bytes: Uint8Array): string {
  return latin1(bytes, start, rest === undefined ? end : (rest(bytes, end) ?? bytes.length));
}
