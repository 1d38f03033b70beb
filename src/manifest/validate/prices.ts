/**
 * Checks the model names in `adapters.NAME.prices`. Prices of unused models are allowed, because manifests may share a list. A name similar to that of a
 * used model without a price is probably misspelt.
 */
import type { PersonaDirectory } from "./personas.ts";
import { asText, entries, member } from "./read-node.ts";
import type { Scope } from "./scope.ts";

/** Warns about prices whose model name is probably misspelt. */
export function checkPrices({ manifest, findings }: Scope, personas: PersonaDirectory): void {
  for (const { node: settings } of entries(member(manifest, "adapters"))) {
    const prices = entries(member(settings, "prices"));
    if (prices.length === 0) continue;
    const byDefault = asText(member(settings, "model"));
    const used = new Set([
      ...personas.all().flatMap(({ persona }) => persona.model ?? []),
      ...(byDefault === undefined ? [] : [byDefault]),
    ]);
    const priced = new Set(prices.map(({ key }) => key));
    const unpriced = [...used].filter((model) => !priced.has(model));
    for (const { key, keyOrigin } of prices) {
      const advice = used.has(key) ? {} : findings.guess(key, unpriced);
      if (advice.fix === undefined) continue;
      findings.warning("W314", `no persona uses the model \`${key}\`, and \`${advice.fix}\` has no price here`, keyOrigin, advice);
    }
  }
}
