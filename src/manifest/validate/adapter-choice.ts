/**
 * Chooses the adapter of a step, in the order `--adapter`, step, persona, `defaults`, environment. A step without an adapter is not an error here,
 * because a later `--adapter` can set it.
 */
import { defined } from "../../core/defined.ts";
import type { DocumentNode, Origin } from "../../core/document.ts";
import { listPrice } from "../../core/list-prices.ts";
import type { AdapterName } from "../../core/names.ts";
import type { AdapterChoice } from "../../core/pipeline.ts";
import type { Price } from "../../core/price.ts";
import type { ReadPersona } from "./personas.ts";
import { asAdapter, asCommand, asLocated, asNumber, asText, member } from "./read-node.ts";
import type { Scope } from "./scope.ts";

interface Chosen {
  readonly name: AdapterName;
  /** The version in `claude@2.1.330`. */
  readonly version?: string | undefined;
  readonly by: AdapterChoice["chosenBy"];
  /** Position of the choice. Undefined for `--adapter` and the environment. */
  readonly origin?: Origin | undefined;
}

/** The adapter of a step with its settings. Undefined if none is chosen. */
export function chooseAdapter(step: DocumentNode, read: ReadPersona, scope: Scope): AdapterChoice | undefined {
  const chosen = choose(step, read, scope);
  if (chosen === undefined) return undefined;
  const settings = member(member(scope.manifest, "adapters"), chosen.name);
  const own = chosen.name === "command" ? read.command : undefined;
  const command = own ?? asCommand(member(settings, "command"));
  const persona = asLocated(member(step, "persona"));
  const place = chosen.origin ?? persona?.origin ?? step.origin;
  if (chosen.name === "command" && command === undefined) {
    scope.findings.warning("W313", `the persona \`${read.persona.name}\` has no command for the adapter \`command\``, place, {
      hint: "set `command` on the persona, or for all personas with `adapters: { command: { command: [PROGRAM] } }`",
    });
  }
  const model = read.persona.model ?? asText(member(settings, "model"));
  return {
    name: chosen.name,
    chosenBy: chosen.by,
    ...defined({
      command,
      version: chosen.version ?? asText(member(settings, "version")),
      baseUrl: asText(member(settings, "base_url")),
      model,
      recordings: asText(member(settings, "recordings")),
      price: model === undefined ? undefined : priceFor(chosen.name, model, settings),
    }),
  };
}

/** The price in the manifest, else the list price. With `base_url`, list prices do not apply. */
function priceFor(adapter: AdapterName, model: string, settings: DocumentNode | undefined): Price | undefined {
  const own = priceOf(member(member(settings, "prices"), model));
  return own ?? (member(settings, "base_url") === undefined ? listPrice(adapter, model) : undefined);
}

function priceOf(node: DocumentNode | undefined): Price | undefined {
  const [input, output] = [asNumber(member(node, "input")), asNumber(member(node, "output"))];
  if (input === undefined || output === undefined) return undefined;
  return {
    input,
    output,
    ...defined({ cacheRead: asNumber(member(node, "cache_read")), cacheWrite: asNumber(member(node, "cache_write")) }),
  };
}

function choose(step: DocumentNode, read: ReadPersona, scope: Scope): Chosen | undefined {
  const flag = scope.options.adapter;
  if (flag !== undefined) return { name: flag, by: "flag" };
  const own = member(step, "adapter");
  const ofStep = asAdapter(own);
  if (ofStep !== undefined) return { ...ofStep, by: "step", origin: own?.origin };
  if (read.adapter !== undefined) return { name: read.adapter, version: read.adapterVersion, by: "persona", origin: read.adapterOrigin };
  if (read.command !== undefined) return { name: "command", by: "persona" };
  const fallback = member(member(scope.manifest, "defaults"), "adapter");
  const ofDefaults = asAdapter(fallback);
  if (ofDefaults !== undefined) return { ...ofDefaults, by: "defaults", origin: fallback?.origin };
  const here = scope.options.defaultAdapter;
  return here === undefined ? undefined : { name: here, by: "environment" };
}
