import { expect, test } from "vitest";
import { priced } from "../../../src/core/price.ts";
import { noUsage } from "../../../src/core/usage.ts";

const usage = {
  ...noUsage,
  turns: 3,
  inputTokens: 1_000_000,
  outputTokens: 500_000,
  cacheReadTokens: 2_000_000,
  cacheWriteTokens: 100_000,
};

test("each kind of token has its price, and cached tokens default to the input price", () => {
  expect(priced(usage, { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 })).toEqual({ ...usage, costUsd: 3 + 7.5 + 0.6 + 0.375 });
  expect(priced(usage, { input: 1, output: 2 })).toEqual({ ...usage, costUsd: 1 + 1 + 2 + 0.1 });
});

test("a price replaces the agent's own cost, which is kept without one", () => {
  const counted = { ...usage, costUsd: 99 };
  expect(priced(counted, { input: 0, output: 0 })).toEqual({ ...usage, costUsd: 0 });
  expect(priced(counted, undefined)).toBe(counted);
});
