/** Generates docs/prices.md from the list of prices in the code. */
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
    `This page lists the published prices of the providers as of ${listedAsOf}, in US dollars per million`,
    "tokens. Wave uses them if an agent reports no cost and the manifest sets no price.",
    "",
    "- Prices change, some models cost more for one request of more than 200,000 tokens, and your prices",
    "  may differ: `adapters.NAME.prices` takes precedence ([agents](agents.md#what-it-used)).",
    "- With a `base_url`, only prices in the manifest are used.",
    "- Claude Code and OpenCode report their own cost. Copilot has another billing model.",
    "",
    "| model | adapter | input | output | read from the cache | written to the cache |",
    "| --- | --- | --- | --- | --- | --- |",
    ...[...models.values()].map(
      ([model, input, output, cacheRead, cacheWrite]) =>
        `| \`${model}\` | ${adapters(model)} | ${dollars(input)} | ${dollars(output)} | ${dollars(cacheRead)} | ${dollars(cacheWrite)} |`,
    ),
  ].join("\n")}\n`;
}
