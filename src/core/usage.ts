/** The tokens, calls and costs of an attempt, as far as its adapter reports them. */
import { counted } from "../text/quantity.ts";

export interface Usage {
  /** Answers of the model. */
  readonly turns: number;
  readonly toolCalls: number;
  /** Denied tool calls. */
  readonly denials: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** US dollars, as reported by the agent. Undefined if it reports none. */
  readonly costUsd?: number;
}

export const noUsage: Usage = {
  turns: 0,
  toolCalls: 0,
  denials: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
};

/** All tokens, as limited by `max_tokens`. */
export function tokensOf({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Usage): number {
  return inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens;
}

/** The sum of the known usages; undefined if none is known. The cost is the sum of the known costs. */
export function totalUsage(usages: readonly (Usage | undefined)[]): Usage | undefined {
  const known = usages.filter((usage) => usage !== undefined);
  if (known.length === 0) return undefined;
  const sum = (of: (usage: Usage) => number) => known.reduce((total, usage) => total + of(usage), 0);
  const costs = known.flatMap(({ costUsd }) => (costUsd === undefined ? [] : [costUsd]));
  return {
    turns: sum(({ turns }) => turns),
    toolCalls: sum(({ toolCalls }) => toolCalls),
    denials: sum(({ denials }) => denials),
    inputTokens: sum(({ inputTokens }) => inputTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
    cacheReadTokens: sum(({ cacheReadTokens }) => cacheReadTokens),
    cacheWriteTokens: sum(({ cacheWriteTokens }) => cacheWriteTokens),
    ...(costs.length === 0 ? {} : { costUsd: costs.reduce((total, cost) => total + cost, 0) }),
  };
}

/** `1,234 tokens, $0.0123`. */
export function usageText(usage: Usage): string {
  const tokens = counted(tokensOf(usage), "token");
  return usage.costUsd === undefined ? tokens : `${tokens}, ${costText(usage.costUsd)}`;
}

/** Dollars with two digits, or more for small amounts. */
export function costText(dollars: number): string {
  if (dollars >= 1 || dollars === 0) return `$${dollars.toFixed(2)}`;
  return `$${dollars >= 0.0001 ? dollars.toPrecision(2) : dollars.toFixed(6)}`;
}
