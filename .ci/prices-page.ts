/** docs/prices.md, from the list that wave counts with. */
import { listedAsOf, listPrices } from "../src/core/list-prices.ts";

export function pricesPage(): string {
  const models = new Map(Object.values(listPrices).flatMap((list) => list.map((row) => [row[0], row] as const)));
  const dollars = (amount: number | undefined) => (amount === undefined ? "as input" : String(amount));
  const adapters = (model: string) =>
    Object.entries(listPrices)
      .filter(([, list]) => list.some(([name]) => name === model))
      .map(([name]) => `\`${name}\``)
      .join(", ");
  return `${[
    "# Prices",
    "",
    `What wave counts a model's tokens with where an agent tells no cost and the manifest gives no price: the providers' published list, as of ${listedAsOf}, in US dollars for a million tokens.`,
    "Prices change, some models cost more for one request of more than 200,000 tokens, and yours may be others: `adapters.NAME.prices` counts instead ([agents](agents.md#what-it-used)). Behind a `base_url` only that counts.",
    "",
    "Claude Code and OpenCode tell their cost themselves; Copilot is paid for in another way.",
    "",
    "| model | adapter | input | output | read from the cache | written to the cache |",
    "| --- | --- | --- | --- | --- | --- |",
    ...[...models.values()].map(
      ([model, input, output, cacheRead, cacheWrite]) =>
        `| \`${model}\` | ${adapters(model)} | ${dollars(input)} | ${dollars(output)} | ${dollars(cacheRead)} | ${dollars(cacheWrite)} |`,
    ),
  ].join("\n")}\n`;
}
