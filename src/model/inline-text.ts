/** Which inputs a prompt holds word for word, so that an agent needs no call of a tool to read them: short texts, as long as there is room. */
import type { Digest } from "./digest.ts";
import type { ArtifactStore } from "./ports.ts";

/** Bytes: of one input, and of all inputs of a prompt. */
export const inlineLimits = { one: 4096, all: 16_384 } as const;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Input → its text, in the order of the inputs while they fit together; a longer one leaves its room to those behind it. What is empty, binary or
 * cannot be read is left out: the file is there all the same.
 */
export async function inlineTexts(
  blobs: Pick<ArtifactStore, "get">,
  inputs: readonly { readonly name: string; readonly digest: Digest; readonly size: number }[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  let left: number = inlineLimits.all;
  for (const { name, digest, size } of inputs) {
    if (size === 0 || size > inlineLimits.one || size > left) continue;
    const bytes = await blobs.get(digest);
    const text = bytes.ok ? textOf(bytes.value) : undefined;
    if (text === undefined) continue;
    texts.set(name, text);
    left -= size;
  }
  return texts;
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
