/** JSON for any destination: one text, whose strings hold nothing that a terminal or a runner would obey. Pure. */
import { hiddenPattern } from "./control-characters.ts";
import { bracketPattern } from "./runner-text.ts";

/** The sign of a bracket command, or a hidden character. */
const unsafe = new RegExp(`(?=${bracketPattern})#|${hiddenPattern}`, "gu");

/** As `JSON.stringify`, and parsed to the same value. Hidden characters and the first sign of `##[` are written as escapes. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(unsafe, escaped);
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`).join("");
}
