/**
 * Chooses the adapter of a step: flag, then step, then persona, then the manifest's defaults, then what the environment has the means for. A step
 * without one is no mistake (`--adapter` may still choose); an adapter that this version does not have is a warning, and running it is refused.
 */
import type { DocumentNode, Origin } from "../model/document.ts";
import { type AdapterName, adapterNames } from "../model/names.ts";
import type { AdapterChoice } from "../model/pipeline.ts";
import type { Price } from "../model/price.ts";
import type { ReadPersona } from "./personas.ts";
import { asCommand, asLocated, asNumber, asOneOf, asText, given, member, startOf } from "./read-node.ts";
import type { Scope } from "./scope.ts";

/** Adapters that this version can run. */
const available: readonly AdapterName[] = ["command", "claude", "codex", "replay"];

interface Chosen {
  readonly name: AdapterName;
  readonly by: AdapterChoice["chosenBy"];
  /** Where the choice is written; nothing for the flag. */
  readonly origin?: Origin | undefined;
}

/** The adapter of a step with its settings, or nothing where nobody chose one. */
export function chooseAdapter(step: DocumentNode, read: ReadPersona, scope: Scope): AdapterChoice | undefined {
  const chosen = choose(step, read, scope);
  if (chosen === undefined) return undefined;
  const settings = member(member(scope.manifest, "adapters"), chosen.name);
  const own = chosen.name === "command" ? read.command : undefined;
  const command = own ?? asCommand(member(settings, "command"));
  const persona = asLocated(member(step, "persona"));
  const place = chosen.origin ?? persona?.origin ?? step.origin;
  if (!available.includes(chosen.name)) {
    // The flag chooses for every step: one warning says it all.
    const origin = chosen.by === "flag" ? startOf(scope.manifest.origin) : place;
    scope.findings.warning("W313", `the adapter \`${chosen.name}\` is not available in this version`, origin, {
      hint: "choose another with --adapter",
    });
  } else if (chosen.name === "command" && command === undefined) {
    scope.findings.warning("W313", `the persona \`${read.persona.name}\` has no command for the adapter \`command\``, place, {
      hint: "give the persona a `command:`, or all of them one with `adapters: { command: { command: [PROGRAM] } }`",
    });
  }
  const model = read.persona.model ?? asText(member(settings, "model"));
  return {
    name: chosen.name,
    chosenBy: chosen.by,
    ...given("command", command),
    ...given("version", asText(member(settings, "version"))),
    ...given("baseUrl", asText(member(settings, "base_url"))),
    ...given("model", model),
    ...given("recordings", asText(member(settings, "recordings"))),
    ...given("price", model === undefined ? undefined : priceOf(member(member(settings, "prices"), model))),
  };
}

function priceOf(node: DocumentNode | undefined): Price | undefined {
  const [input, output] = [asNumber(member(node, "input")), asNumber(member(node, "output"))];
  if (input === undefined || output === undefined) return undefined;
  return {
    input,
    output,
    ...given("cacheRead", asNumber(member(node, "cache_read"))),
    ...given("cacheWrite", asNumber(member(node, "cache_write"))),
  };
}

function choose(step: DocumentNode, read: ReadPersona, scope: Scope): Chosen | undefined {
  const flag = scope.options.adapter;
  if (flag !== undefined) return { name: flag, by: "flag" };
  const own = member(step, "adapter");
  const ofStep = asOneOf(own, adapterNames);
  if (ofStep !== undefined) return { name: ofStep, by: "step", origin: own?.origin };
  if (read.adapter !== undefined) return { name: read.adapter, by: "persona", origin: read.adapterOrigin };
  if (read.command !== undefined) return { name: "command", by: "persona" };
  const fallback = member(member(scope.manifest, "defaults"), "adapter");
  const ofDefaults = asOneOf(fallback, adapterNames);
  if (ofDefaults !== undefined) return { name: ofDefaults, by: "defaults", origin: fallback?.origin };
  const here = scope.options.adapterHere;
  return here === undefined ? undefined : { name: here, by: "environment" };
}
