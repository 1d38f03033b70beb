/** Text for a terminal, or for a file that may be shown on one: it moves no cursor, sets no clipboard and hides nothing. Pure. */
import { controlPattern, shownControl, withoutControls } from "./control-characters.ts";

/** Wave's own colours (`reporters/console/palette.ts`): foregrounds, bold and dim. No background, blinking or concealed text. */
const ownColor = String.raw`\u001b\[(?:0|1|2|22|3[1-79]|9[0-7])m`;

const pattern = new RegExp(`(${ownColor})|${controlPattern}`, "gu");

/** Text as lines. `color` keeps Wave's own colours; other sequences are dropped, and hidden characters written out. */
export function terminalText(text: string, { color }: { readonly color: boolean }): string {
  // A carriage return would overwrite the line so far.
  const lines = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
  if (!color || !lines.includes("\u001b")) return withoutControls(lines);
  return lines.replace(pattern, (found, own: string | undefined) => own ?? shownControl(found));
}
