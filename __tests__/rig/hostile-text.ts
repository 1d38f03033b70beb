/** Text that attacks whatever shows it, and the checks that find what of it got through. */

/** Sequences and characters that a terminal, a reader or a runner obeys. Every one carries or surrounds the word `owned`. */
export const payloads: readonly string[] = [
  "\u001b]52;c;b3duZWQ=\u0007",
  "\u001b]8;;https://owned.test\u001b\\owned\u001b]8;;\u001b\\",
  "\u001b]0;owned\u009c",
  "\u001b]2;owned without an end",
  "\u001b[2J\u001b[Howned",
  "\u001b[8mowned\u001b[0m",
  "\u001b[30;40mowned",
  "\u001b[5;31mowned",
  "\u001bPowned\u001b\\",
  "\u001b_owned\u001b\\",
  "\u001b^owned\u001b\\",
  "\u001bXowned\u001b\\",
  "\u001bcowned",
  "\u001b\u001b[0m[31mowned",
  "\u009b2Jowned",
  "\u009d52;c;b3duZWQ=\u009c",
  "\u0090owned\u009c",
  "\u0085owned",
  "good\rowned",
  "good\b\b\b\bowned",
  "\u0000\u0007\u000b\u000c\u007fowned",
  "\u202edenwo\u202c",
  "\u2066owned\u2069",
  "\u061c\u200e\u200fowned",
  "o\u200bw\u2060n\u00ade\ufeffd",
  "ow\u200dned\u200c",
  "\u{e006f}\u{e0077}\u{e006e}owned",
  "owned\ufe0f\ufe0e\u{e0100}",
  "\u2028::error::owned",
  "::error::owned",
  "  ::set-output name=run-id::owned",
  "\n::stop-commands::owned",
  "\r::add-mask::owned",
  "\u00a0\u3000::warning::owned",
  "\u200b::error::owned",
  "text ##[error]owned",
  "##[add-mask]owned",
  "#\u200b#[warning]owned",
  "::\n:error::owned",
  "# # [ ##\n[error]owned",
];

export const hostileText = payloads.join(" ");

/** The same for places that hold one line without NUL, as names of files do. */
export const hostileLine = hostileText.replace(/[\n\0]/g, "");

/** Names that a file may have; each at most 255 bytes. */
export const hostileNames: readonly string[] = payloads.map((payload, at) => `${at}${payload.replace(/[\n\0/]/g, "_")}`);

/** Wave's own: the colours of `reporters/console/palette.ts`, and how the live view draws over itself. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
const ownColors = /\u001b\[(?:0|1|2|22|3[1-79]|9[0-7])m/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
const ownDrawing = /\u001b\[(?:\?(?:25|2026)[hl]|\d*[ABG]|[02]?K)/g;

const forbidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]|[a-z]\u200d|[a-z]\u200c|\ufe0f\ufe0e|[a-z]\u{e0100}/gu;

/** The first characters that get through, with what is around them. `own`: which sequences of Wave's are expected. */
export function controlsIn(text: string, own: "none" | "colors" | "drawing" = "none"): readonly string[] {
  const colorless = own === "none" ? text : text.replace(ownColors, "");
  const shown = own === "drawing" ? colorless.replace(ownDrawing, "") : colorless;
  const found = [...shown.matchAll(forbidden)].map(({ index }) => JSON.stringify(shown.slice(Math.max(0, index - 30), index + 30)));
  return found.slice(0, 3);
}

const registered = new Set([
  ...["add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "internal-set-repo-path", "notice"],
  ...["remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning"],
]);

/** What .NET's culture compares as nothing. */
const ignorable = /[\p{Default_Ignorable_Code_Point}\p{Cc}]/gu;

/**
 * The commands that a runner finds in a log, as `Runner.Common/ActionCommand.cs` does: lines end at LF, CR or both; the second form is looked for
 * where the first is not found.
 */
export function commandsIn(log: string): readonly string[] {
  return log.split(/\r\n|\r|\n/).flatMap((line) => {
    const plain = line.replace(ignorable, "").trimStart();
    const first = /^::([^: ]*).*?::/s.exec(plain)?.[1];
    if (first !== undefined && registered.has(first.toLowerCase())) return [line];
    const second = /##\[([^\] ]*)[^\]]*\]/.exec(plain)?.[1];
    return second !== undefined && registered.has(second.toLowerCase()) ? [line] : [];
  });
}
