/** Prices of models, from a manifest. Pure. */
import type { Usage } from "./usage.ts";

/** US dollars per million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** Tokens read from the cache. Defaults to `input`. */
  readonly cacheRead?: number;
  /** Tokens written to the cache. Defaults to `input`. */
  readonly cacheWrite?: number;
}

/** The usage with its cost computed from the price; unchanged without a price. */
export function priced(usage: Usage, price: Price | undefined): Usage {
  if (price === undefined) return usage;
  const { input, output, cacheRead = input, cacheWrite = input } = price;
  const dollars =
    usage.inputTokens * input + usage.outputTokens * output + usage.cacheReadTokens * cacheRead + usage.cacheWriteTokens * cacheWrite;
  return { ...usage, costUsd: dollars / 1e6 };
}
