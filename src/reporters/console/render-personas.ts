/** Renders a list of personas, or one in full. Pure. */
import type { KnownPersona } from "../../core/loaded.ts";
import { padded, printable, printableLines } from "../../text/printable.ts";
import { type Palette, paletteOf } from "./palette.ts";

interface PersonaStyle {
  readonly color: boolean;
}

/** A table: name, adapter, location of the definition, purpose. Ends in a line break. */
export function renderPersonas(personas: readonly KnownPersona[], { color }: PersonaStyle): string {
  const paint = paletteOf(color);
  const rows = personas.map((known) => [
    printable(known.persona.name),
    howOf(known),
    placeOf(known),
    printable(known.persona.description ?? ""),
  ]);
  const head = ["PERSONA", "ADAPTER", "SOURCE", "DESCRIPTION"];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => padded(cell, widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return `${[paint.bold(line(head)), ...rows.map(line)].join("\n")}\n`;
}

/** One persona in full, with its system prompt last. Ends in a line break. */
export function renderPersona(known: KnownPersona, { color }: PersonaStyle): string {
  const paint = paletteOf(color);
  const { persona, permissions, secrets } = known;
  const rows: (readonly [string, string])[] = [
    ["defined", placeOf(known)],
    ...(persona.description === undefined ? [] : [["for", printable(persona.description)] as const]),
    ["adapter", howOf(known)],
    ...(permissions?.allow ?? []).map(({ text }) => ["allow", printable(text)] as const),
    ...(permissions?.deny ?? []).map(({ text }) => ["deny", printable(text)] as const),
    ...(secrets.length === 0 ? [] : [["secrets", secrets.map(printable).join(", ")] as const]),
  ];
  return [titled(printable(persona.name), rows, paint), "", ...printableLines(persona.systemPrompt.trim()), ""].join("\n");
}

function titled(name: string, rows: readonly (readonly [string, string])[], paint: Palette): string {
  return [paint.bold(name), ...rows.map(([key, value]) => `  ${paint.dim(key.padEnd(8))} ${value}`)].join("\n");
}

function howOf({ adapter, command, persona: { model } }: KnownPersona): string {
  const name = adapter ?? (command === undefined ? "default" : "command");
  return model === undefined ? name : `${name}, ${printable(model)}`;
}

function placeOf({ persona: { origin } }: KnownPersona): string {
  return origin === undefined ? "built in" : `${printable(origin.file)}:${origin.range.start.line}`;
}
