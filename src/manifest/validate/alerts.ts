/** Reads the webhooks under `alerts:`. */
import type { AlertReason, AlertTarget } from "../../core/alert.ts";
import { defined } from "../../core/defined.ts";
import { asLocated, asText, items, member, textItems } from "./read-node.ts";
import type { Scope } from "./scope.ts";

/** All reasons. Equal to `alertReasons`, which the schema uses. */
const everything: readonly AlertReason[] = ["contract-failed", "step-timeout", "circuit-open", "run-failed", "run-recovered"];

/** Valid alerts, each name once. */
export function readAlerts({ manifest, findings }: Scope): AlertTarget[] {
  const found = new Map<string, AlertTarget>();
  for (const node of items(member(manifest, "alerts"))) {
    const name = asLocated(member(node, "name"));
    const url = asText(member(node, "url"));
    const urlFrom = asText(member(node, "url_from"));
    if (name === undefined) continue;
    if ((url === undefined) === (urlFrom === undefined)) {
      findings.error("W206", `the alert \`${name.text}\` needs either \`url\` or \`url_from\``, name.origin, {
        hint: "`url_from` names the environment variable that contains the URL",
      });
      continue;
    }
    const before = found.get(name.text);
    if (before !== undefined) {
      findings.error("W312", `two alerts are named \`${name.text}\``, name.origin, {
        related: [{ message: "the first one", origin: before.origin }],
      });
      continue;
    }
    const on = textItems(member(node, "on")).flatMap(({ text }) => everything.filter((reason) => reason === text));
    found.set(name.text, {
      name: name.text,
      ...defined({ url, urlFrom }),
      format: asText(member(node, "format")) === "slack" ? "slack" : "cloudevents",
      ...defined({ secret: asText(member(node, "secret")) }),
      on: on.length === 0 ? everything : on,
      origin: name.origin,
    });
  }
  return [...found.values()];
}
