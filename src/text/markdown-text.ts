/** Makes text valid for GitHub's comments, check runs, annotations and job summaries. Pure. */

/** Bidirectional embeddings, overrides and isolates reorder text; C1 controls and lone surrogates are invisible. */
const unshown = /[\u0080-\u009f\u202a-\u202e\u2066-\u2069\p{Cs}]/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this replaces
const controls = /[\u0000-\u0008\u000b-\u001f\u007f]/g;
/** Unicode's pictures of control characters, in the same order; DEL's follows later. */
const firstPicture = 0x2400;
const deletePicture = "\u2421";

/** Replaces control characters except tabs and line feeds by their picture (`␛`) or U+FFFD. The text never gets longer. */
export function markdownText(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(controls, (sign) => (sign === "\u007f" ? deletePicture : String.fromCharCode(firstPicture + sign.charCodeAt(0))))
    .replace(unshown, "\ufffd");
}

/** Like `markdownText`, on one line: for titles and names. */
export function markdownLine(text: string): string {
  return markdownText(text).replace(/[\n\t]/g, " ");
}
