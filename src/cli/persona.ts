/** `wave persona`: who can do a step here, and what each is told. */
import type { KnownPersona } from "../core/loaded.ts";
import { locateProject, readProject, requireValid } from "../engine/open-project.ts";
import { renderPersona, renderPersonas } from "../reporters/console/render-personas.ts";
import { printable } from "../text/printable.ts";
import { closest } from "../text/suggest.ts";
import { actionOf, type Command, fail, flag, type Invocation, jsonOption, manifestOptions, printJson } from "./define-command.ts";
import { manifestTexts } from "./manifest-texts.ts";
import { projectRequest } from "./project-request.ts";

const actions = ["list", "show"] as const;

export const personaCommand: Command = {
  name: "persona",
  summary: "List the personas that steps may name, or show one with its prompt",
  details:
    "Personas are those of the manifest, of `.wave/personas/`, and a built-in library below them: `show` says where one is defined. Versions stand side by side under names of their own (`navigator`, `navigator-v2`).",
  arguments: [
    { name: "<action>", description: "`list` or `show`" },
    { name: "[persona]", description: "a persona's name, for `show`" },
  ],
  options: [...manifestOptions, jsonOption],
  examples: ["wave persona list", "wave persona show navigator", "wave persona show navigator --json"],
  run: persona,
};

async function persona(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const name = invocation.arguments[1];
  const usage = (message: string, hint: string) => fail(io, { reason: "usage", message, hint }, { json });
  const action = actionOf(invocation, actions, "personas");
  if (!action.ok) return fail(io, action.error, { json });
  const request = projectRequest(invocation);
  const located = locateProject(request);
  if (!located.ok) return fail(io, located.error, { json });
  const read = await readProject(request, located.value);
  if (!read.ok) return fail(io, read.error, { json });
  const project = requireValid(read.value);
  if (!project.ok) return fail(io, project.error, { json, fileText: manifestTexts(request) });
  const { personas } = project.value;
  const options = { color: io.stdout.color };
  if (action.value === "list") {
    if (json) printJson(io, { ok: true, personas: personas.map(documentOf) });
    else io.stdout.write(renderPersonas(personas, options));
    return 0;
  }
  if (name === undefined) return usage("`show` needs a persona's name", "`wave persona list` names them");
  const found = personas.find((known) => known.persona.name === name);
  if (found === undefined) {
    const guess = closest(
      name,
      personas.map((known) => known.persona.name),
    );
    return usage(
      `no persona is called \`${printable(name)}\``,
      guess === undefined ? "`wave persona list` names them" : `did you mean \`${guess}\`?`,
    );
  }
  if (json) printJson(io, { ok: true, persona: documentOf(found) });
  else io.stdout.write(renderPersona(found, options));
  return 0;
}

/** As JSON. Members are added, never renamed or removed. */
function documentOf({
  persona: { name, description, model, systemPrompt, origin, digest },
  adapter,
  command,
  permissions,
  resources,
  secrets,
}: KnownPersona) {
  const rules = (kind: "allow" | "deny") => (permissions?.[kind] ?? []).map(({ text }) => text);
  return {
    name,
    description,
    definedAt: origin === undefined ? "built-in" : { file: origin.file, line: origin.range.start.line },
    adapter,
    model,
    command,
    permissions: { allow: rules("allow"), deny: rules("deny") },
    resources,
    secrets,
    digest,
    prompt: systemPrompt,
  };
}
