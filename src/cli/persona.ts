/** `wave persona`: lists the personas that steps can use, and shows one with its prompt. */
import { defined } from "../core/defined.ts";
import type { KnownPersona } from "../core/loaded.ts";
import { err, ok } from "../core/result.ts";
import { listPersonas } from "../engine/list-personas.ts";
import { renderPersona, renderPersonas } from "../reporters/console/render-personas.ts";
import { printable } from "../text/printable.ts";
import { closest } from "../text/suggest.ts";
import { defineCommand } from "./define-command.ts";

export const personaCommand = defineCommand({
  name: "persona",
  summary: "List the personas that steps can use, or show one with its prompt",
  details:
    "Personas are defined in the manifest, in `.wave/personas/` and in a built-in library; `show` prints where. Versions have names of their own, such as `navigator` and `navigator-v2`. If the manifest is missing or invalid, prints the personas that can be read, then the problems, and exits with 2.",
  args: [
    { name: "<action>", description: "`list` or `show`", choices: ["list", "show"] },
    { name: "[persona]", description: "a persona's name, for `show`" },
  ],
  examples: ["wave persona list", "wave persona show navigator", "wave persona show navigator --json"],
  run: async ({ request, args: [action, name] }) => {
    const listed = await listPersonas(request);
    if (!listed.ok) return listed;
    const { personas, problem } = listed.value;
    const state = { ok: problem === undefined, ...defined({ failure: problem }) };
    if (action === "list")
      return ok({
        json: { ...state, personas: personas.map(documentOf) },
        text: ({ color }) => renderPersonas(personas, { color }),
        ...defined({ failure: problem }),
      });
    const hint = "`wave persona list` lists the personas";
    if (name === undefined) return err({ reason: "usage", message: "`show` needs a persona's name", hint });
    const found = personas.find(({ persona }) => persona.name === name);
    if (found !== undefined)
      return ok({
        json: { ...state, persona: documentOf(found) },
        text: ({ color }) => renderPersona(found, { color }),
        ...defined({ failure: problem }),
      });
    const names = personas.map(({ persona }) => persona.name);
    const guess = closest(name, names);
    const message = `there is no persona \`${printable(name)}\``;
    return err(problem ?? { reason: "usage", message, hint: guess === undefined ? hint : `did you mean \`${guess}\`?` });
  },
});

/** As JSON. Members are added, never renamed or removed. */
function documentOf({ persona, adapter, command, permissions, resources, secrets }: KnownPersona) {
  const { name, description, model, systemPrompt, origin, digest } = persona;
  const rules = (kind: "allow" | "deny") => (permissions?.[kind] ?? []).map(({ text }) => text);
  return {
    ...{ name, description },
    definedAt: origin === undefined ? "built-in" : { file: origin.file, line: origin.range.start.line },
    ...{ adapter, model, command },
    permissions: { allow: rules("allow"), deny: rules("deny") },
    ...{ resources, secrets, digest },
    prompt: systemPrompt,
  };
}
