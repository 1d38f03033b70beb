/**
 * List prices of models, for agents that report tokens but no cost. `adapters.NAME.prices` in a manifest takes precedence. Pure.
 *
 * From the pricing pages of Anthropic, OpenAI and Google, as collected in the public price tables of that month. Some cost more for one request of more
 * than 200,000 tokens; the list ignores that.
 */
import { defined } from "./defined.ts";
import type { AdapterName } from "./names.ts";
import type { Price } from "./price.ts";

/** The month of the prices. */
export const listedAsOf = "2026-07";

type Listed = readonly [model: string, input: number, output: number, cacheRead: number, cacheWrite?: number];

const anthropic: readonly Listed[] = [
  ["claude-haiku-4-5", 1, 5, 0.1, 1.25],
  ["claude-opus-4-5", 5, 25, 0.5, 6.25],
  ["claude-opus-4-6", 5, 25, 0.5, 6.25],
  ["claude-opus-4-7", 5, 25, 0.5, 6.25],
  ["claude-opus-4-8", 5, 25, 0.5, 6.25],
  ["claude-opus-5", 5, 25, 0.5, 6.25],
  ["claude-sonnet-4-5", 3, 15, 0.3, 3.75],
  ["claude-sonnet-4-6", 3, 15, 0.3, 3.75],
  ["claude-sonnet-5", 2, 10, 0.2, 2.5],
];

const openai: readonly Listed[] = [
  ["gpt-5", 1.25, 10, 0.125],
  ["gpt-5-codex", 1.25, 10, 0.125],
  ["gpt-5-mini", 0.25, 2, 0.025],
  ["gpt-5.1", 1.25, 10, 0.125],
  ["gpt-5.1-codex", 1.25, 10, 0.125],
  ["gpt-5.1-codex-max", 1.25, 10, 0.125],
  ["gpt-5.1-codex-mini", 0.25, 2, 0.025],
  ["gpt-5.2", 1.75, 14, 0.175],
  ["gpt-5.2-codex", 1.75, 14, 0.175],
  ["gpt-5.3-codex", 1.75, 14, 0.175],
  ["gpt-5.4", 2.5, 15, 0.25],
  ["gpt-5.4-mini", 0.75, 4.5, 0.075],
  ["gpt-5.5", 5, 30, 0.5],
  ["gpt-5.6", 5, 30, 0.5, 6.25],
];

const google: readonly Listed[] = [
  ["gemini-2.5-flash", 0.3, 2.5, 0.03],
  ["gemini-2.5-flash-lite", 0.1, 0.4, 0.01],
  ["gemini-2.5-pro", 1.25, 10, 0.125],
  ["gemini-3-flash-preview", 0.5, 3, 0.05],
  ["gemini-3-pro-preview", 2, 12, 0.2],
  ["gemini-3.1-pro-preview", 2, 12, 0.2],
  ["gemini-3.5-flash", 1.5, 9, 0.15],
];

/** Adapter → prices of its models. Other adapters report the cost, or are billed differently. */
export const listPrices: Partial<Record<AdapterName, readonly Listed[]>> = {
  codex: openai,
  gemini: google,
  api: [...anthropic, ...openai, ...google],
};

/**
 * The list price of a model, by the adapter's name for it: with or without a date suffix, and for `api` with or without
 * the provider's name.
 */
export function listPrice(adapter: AdapterName, model: string): Price | undefined {
  const bare = (adapter === "api" ? model.replace(/^(?:anthropic|openai|google)\//, "") : model).replace(/-\d{4}-?\d\d-?\d\d$/, "");
  const found = listPrices[adapter]?.find(([name]) => name === bare);
  if (found === undefined) return undefined;
  const [, input, output, cacheRead, cacheWrite] = found;
  return { input, output, cacheRead, ...defined({ cacheWrite }) };
}
