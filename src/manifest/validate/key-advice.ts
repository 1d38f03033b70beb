/** Advice on an unknown key: where its setting belongs, or which key was probably meant. */
import type { DocumentNode } from "../../core/document.ts";
import type { Shape } from "./check-shape.ts";
import { type Advice, type Findings, quotedList } from "./findings.ts";

interface UnknownKey {
  readonly key: string;
  /** The value of the key. */
  readonly value: DocumentNode | undefined;
  /** The shape of the map that contains the key. */
  readonly shape: Shape;
}

interface Replacement {
  readonly places: readonly string[];
  /** Follows the places in the hint. */
  readonly note?: string;
  /** Replaces the hint. */
  readonly hint?: string;
}

const dependencies: Replacement = { places: ["dependencies"] };
const retries = {
  places: ["max_retries", "contract.max_retries", "handover.contract.max_retries", "defaults.contract.max_retries"],
  note: "with `on_failure: retry`",
};
const timeout = { places: ["timeout", "resources.timeout", "defaults.timeout", "budget.timeout"] };
const condition = { places: ["dependencies"], hint: "steps have no conditions; a step runs once its `dependencies` have passed" };
const command = { places: ["command", "/personas.NAME.command"], note: "with `adapter: command`" };

/**
 * Keys of other tools, and keys that are often written in the wrong map. The first place whose first key exists in the map applies; places that start
 * with `/` are relative to the manifest.
 */
const replacements: Readonly<Record<string, Replacement>> = {
  ...{ needs: dependencies, depends_on: dependencies, dependsOn: dependencies, depends: dependencies, after: dependencies },
  ...{ if: condition, when: condition, condition },
  ...{ retries, retry: retries, max_retries: retries },
  ...{ timeout, "timeout-minutes": timeout, timeout_minutes: timeout, timeout_seconds: timeout },
  ...{ run: command, script: command, cmd: command, command },
  model: { places: ["/personas.NAME.model", "/adapters.NAME.model"] },
  prompt: { places: ["task"] },
  system_prompt: { places: ["/personas.NAME.system_prompt"] },
  memory: { places: ["memory_limit", "resources.memory_limit"] },
  contract: { places: ["handover.contract", "defaults.contract"] },
  contracts: { places: ["handover.contracts"] },
  jobs: { places: ["steps"] },
};

/** Keys that only the manifest itself has. */
const manifestKeys: ReadonlySet<string> = new Set(["personas", "adapters", "defaults", "alerts", "state", "pipelines"]);

/** The right key and its place if they are known, otherwise a similar key, otherwise all keys. A `fix` never changes the meaning of the value. */
export function keyAdvice({ key, value, shape }: UnknownKey, findings: Findings): Advice {
  const known = Object.keys(shape.properties ?? {});
  const replacement = Object.hasOwn(replacements, key) ? replacements[key] : undefined;
  const places = placesOf(key, replacement?.places ?? [], shape);
  if (places.length === 0) return findings.guess(key, known, `known keys: ${quotedList(known, "and", 20)}`);
  const hint = replacement?.hint ?? hintFor(places, replacement?.note);
  const isRename = replacement === dependencies && value?.kind === "list" && value.items.every((item) => item.kind === "scalar");
  return isRename ? { hint, fix: "dependencies" } : { hint };
}

function hintFor(places: readonly string[], note: string | undefined): string {
  const names = places.map((place) => place.replace(/^\//, ""));
  const isTop = places.some((place) => place.startsWith("/"));
  return `use ${quotedList(names, "or")}${note === undefined ? "" : ` ${note}`}${isTop ? " at the top level of the manifest" : ""}`;
}

/** Replacements that exist in the map, else maps in it that have the key, else the manifest. */
function placesOf(key: string, replacing: readonly string[], shape: Shape): readonly string[] {
  const properties = shape.properties ?? {};
  const local = replacing.find((place) => place !== key && Object.hasOwn(properties, place.split(".", 1)[0] ?? ""));
  const inner = Object.keys(properties).flatMap((name) => (hasKey(properties[name], key) ? [`${name}.${key}`] : []));
  if (inner.length > 0) return inner;
  if (local !== undefined) return [local];
  const absolute = replacing.filter((place) => place.startsWith("/"));
  if (absolute.length > 0) return absolute;
  return manifestKeys.has(key) ? [`/${key}`] : [];
}

function hasKey(shape: Shape | undefined, key: string): boolean {
  if (shape === undefined) return false;
  return Object.hasOwn(shape.properties ?? {}, key) || (shape.anyOf ?? []).some((branch) => hasKey(branch, key));
}
