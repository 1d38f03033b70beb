/**
 * Replaces secrets in a stream. The output does not depend on how the input is split into chunks. Only a possible start of a secret is
 * held back: the rest of a recognized token is dropped as it arrives, whatever its length.
 */
import type { Redactor } from "../core/ports.ts";
import type { FoundSecret, SecretSearch } from "./secret-search.ts";
import { lookBehind, type Rest } from "./token-match.ts";

/** A range to replace. */
interface Cover {
  readonly start: number;
  readonly end: number;
  /** The replacement; undefined if it was already written. */
  readonly mark: string | undefined;
  /** Of covers with the same start, the mark of the lowest rank is written. */
  readonly rank: number;
}

const continuedRank = -2;
const declaredMark = "***";

interface State {
  /** Bytes kept for the next chunk: the context before the undecided bytes, and these. */
  readonly kept: Uint8Array;
  /** The length of the context at the start of `kept`. */
  readonly context: number;
  readonly covers: readonly Cover[];
  /** Tokens whose end has not arrived yet. */
  readonly open: readonly Rest[];
}

/** Returns a filter that replaces declared values by `***` and tokens by their kind in brackets. */
export function redactStream(search: SecretSearch): ReturnType<Redactor["stream"]> {
  let state: State = { kept: new Uint8Array(), context: 0, covers: [], open: [] };
  const nothing = new Uint8Array();

  /** Returns the output for one more chunk, and the next state. */
  function advance(chunk: Uint8Array, last: boolean): { readonly out: Uint8Array; readonly next: State } {
    const { kept, context } = state;
    const bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    const secrets: FoundSecret[] = [];
    const settled = search.scan(bytes, context, last, (secret) => {
      secrets.push(secret);
      return false;
    });
    const { covers, open } = coversOf(state, bytes, secrets, settled);
    const merged = covers.length === 0 ? covers : merge(covers);
    return { out: replaced(bytes, merged, context, settled), next: stateAt(bytes, merged, settled, open) };
  }

  function step(chunk: Uint8Array, last: boolean): Uint8Array {
    const { out, next } = advance(chunk, last);
    state = next;
    return out;
  }

  // `peek` is safe: an empty chunk does not change open tokens.
  return { push: (chunk) => step(chunk, false), flush: () => step(nothing, true), peek: () => advance(nothing, true).out };
}

/** Previous covers, and those of open tokens and of secrets anchored before `settled`. Later secrets are found again. */
function coversOf(state: State, bytes: Uint8Array, secrets: readonly FoundSecret[], settled: number): { covers: Cover[]; open: Rest[] } {
  const covers = [...state.covers];
  const open: Rest[] = [];
  const endOf = (rest: Rest, from: number) => {
    const end = rest(bytes, from);
    if (end === undefined) open.push(rest);
    return end ?? bytes.length;
  };
  for (const rest of state.open) {
    covers.push({ start: state.context, end: endOf(rest, state.kept.length), mark: undefined, rank: continuedRank });
  }
  for (const { anchor, start, end, rest, kind, rank } of secrets) {
    const mark = kind === undefined ? declaredMark : `[${kind}]`;
    if (anchor < settled) covers.push({ start, end: rest === undefined ? end : endOf(rest, end), mark, rank });
  }
  return { covers, open };
}

function stateAt(bytes: Uint8Array, covers: readonly Cover[], settled: number, open: readonly Rest[]): State {
  const from = Math.max(0, settled - lookBehind);
  const ahead = covers.filter(({ end }) => end > settled);
  return {
    // A copy: the caller may reuse its chunk.
    kept: Buffer.from(bytes.subarray(from)),
    context: settled - from,
    covers: ahead.map(({ start, end, mark, rank }) =>
      start < settled
        ? { start: settled - from, end: end - from, mark: undefined, rank: continuedRank }
        : { start: start - from, end: end - from, mark, rank },
    ),
    open,
  };
}

/** Sorts covers and merges overlapping ones; adjacent ones stay separate. */
function merge(covers: readonly Cover[]): Cover[] {
  const merged: Cover[] = [];
  for (const cover of [...covers].sort((a, b) => a.start - b.start || a.rank - b.rank)) {
    const before = merged.at(-1);
    if (cover.end <= cover.start) continue;
    if (before === undefined || cover.start >= before.end) merged.push(cover);
    else if (cover.end > before.end) merged[merged.length - 1] = { ...before, end: cover.end };
  }
  return merged;
}

/** The bytes from `from` to `settled`, with covers replaced. */
function replaced(bytes: Uint8Array, covers: readonly Cover[], from: number, settled: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let shown = from;
  for (const { start, end, mark } of covers) {
    if (start >= settled) break;
    if (start > shown) parts.push(bytes.subarray(shown, start));
    if (mark !== undefined) parts.push(Buffer.from(mark));
    shown = Math.min(end, settled);
  }
  if (parts.length === 0) return bytes.subarray(shown, settled);
  if (shown < settled) parts.push(bytes.subarray(shown, settled));
  return Buffer.concat(parts);
}
