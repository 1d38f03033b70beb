/** What a model costs by a manifest's own table, for agents that do not tell, or tell another price than one pays. Pure. */
import type { Usage } from "./usage.ts";

/** US dollars for a million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** Read from the model's cache; absent: as `input`. */
  readonly cacheRead?: number;
  /** Written to the model's cache; absent: as `input`. */
  readonly cacheWrite?: number;
}

/** The same usage with its cost by the price, whatever the agent counted; without a price as it is. */
export function priced(usage: Usage, price: Price | undefined): Usage {
  if (price === undefined) return usage;
  const { input, output, cacheRead = input, cacheWrite = input } = price;
  const dollars =
    usage.inputTokens * input + usage.outputTokens * output + usage.cacheReadTokens * cacheRead + usage.cacheWriteTokens * cacheWrite;
  return { ...usage, costUsd: dollars / 1e6 };
}
