/** Makes text safe for a terminal: it cannot move the cursor, set the clipboard or hide text. Pure. */
import { controlPattern, shownControl, withoutControls } from "./control-characters.ts";

/** The sequences of `reporters/console/palette.ts`: foregrounds, bold and dim. Not backgrounds, blinking or concealed text. */
const ownColor = String.raw`\u001b\[(?:0|1|2|22|3[1-79]|9[0-7])m`;

const pattern = new RegExp(`(${ownColor})|${controlPattern}`, "gu");

/** Removes escape sequences, except Wave's own colours if `color` is set. Escapes hidden characters; keeps tabs and line feeds. */
export function terminalText(text: string, { color }: { readonly color: boolean }): string {
  // A carriage return would overwrite the current line.
  const lines = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
  if (!color || !lines.includes("\u001b")) return withoutControls(lines);
  return lines.replace(pattern, (found, own: string | undefined) => own ?? shownControl(found));
}
