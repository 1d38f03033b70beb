/** Which inputs a prompt holds word for word, so that an agent needs no call of a tool to read them: short texts, as long as there is room. */
import type { Digest } from "../core/digest.ts";
import type { BlobStore } from "../core/ports.ts";

/** Bytes: of one input, and of all inputs of a prompt. */
export const inlineLimits = { one: 4096, all: 16_384 } as const;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

interface Input {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/**
 * The inputs, with their texts in order while they fit together; a longer one leaves its room to those behind it. What is empty, binary or cannot be
 * read has none: the file is there all the same.
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

/** Nothing where the bytes are not UTF-8, or hold control characters other than tabs and line breaks. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = strict.decode(bytes);
    return /[^\P{Cc}\t\n\r]/u.test(text) ? undefined : text;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
