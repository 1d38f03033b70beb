/** Includes short text inputs in the prompt, so that an agent needs no tool call to read them. */
import type { Digest } from "../core/digest.ts";
import type { BlobStore } from "../core/ports.ts";

/** In bytes: per input, and for all inputs of a prompt together. */
export const inlineLimits = { one: 4096, all: 16_384 } as const;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

interface Input {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/**
 * Adds `text` to inputs in order, within `inlineLimits`. An input that does not fit is skipped. Inputs that are empty, binary or unreadable get no
 * text.
 */
export async function withInlineTexts<I extends Input>(
  blobs: Pick<BlobStore, "get">,
  inputs: readonly I[],
): Promise<readonly (I & { readonly text?: string })[]> {
  const found: (I & { readonly text?: string })[] = [];
  let left: number = inlineLimits.all;
  for (const input of inputs) {
    const { digest, size } = input;
    const bytes = size > 0 && size <= inlineLimits.one && size <= left ? await blobs.get(digest) : undefined;
    const text = bytes?.ok === true ? textOf(bytes.value) : undefined;
    found.push(text === undefined ? input : { ...input, text });
    if (text !== undefined) left -= size;
  }
  return found;
}

/** Undefined if the bytes are not UTF-8 or contain control characters other than tabs and line breaks. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = strict.decode(bytes);
    return /[^\P{Cc}\t\n\r]/u.test(text) ? undefined : text;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
