/**
 * Checks the names below `adapters.NAME.prices`. A price that no persona's model has is no mistake, since one list may serve many manifests; but
 * where it is nearly the name of a model that has none, it is that model that would be counted wrongly.
 */
import type { PersonaDirectory } from "./personas.ts";
import { asText, entries, member } from "./read-node.ts";
import type { Scope } from "./scope.ts";

/** Warns of prices that nobody's model has, and somebody's nearly. */
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
