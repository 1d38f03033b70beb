/** JSON that is safe to print: its strings contain no control sequences or runner commands. Pure. */
import { hiddenPattern } from "./control-characters.ts";
import { bracketPattern } from "./runner-text.ts";

/** The first `#` of a bracket command (`##[`), or a hidden character. */
const unsafe = new RegExp(`(?=${bracketPattern})#|${hiddenPattern}`, "gu");

/** Like `JSON.stringify`, and parses to the same value. Hidden characters and the first `#` of `##[` are written as escapes. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(unsafe, escaped);
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`).join("");
}
