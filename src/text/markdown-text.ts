/** Text that GitHub takes in comments, check runs, annotations and job summaries, whatever it was made from. Pure. */

/** Embeddings, overrides and isolates show text in another order than it has; C1 controls and halves of surrogate pairs show nothing. */
const unshown = /[\u0080-\u009f\u202a-\u202e\u2066-\u2069\p{Cs}]/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this replaces
const controls = /[\u0000-\u0008\u000b-\u001f\u007f]/g;
/** Unicode's pictures of the control characters, in their order; DEL has one behind them. */
const firstPicture = 0x2400;
const deletePicture = "\u2421";

/** Text without control characters except tabs and line feeds: each becomes its picture (`␛`) or U+FFFD, so the text grows no longer. */
export function markdownText(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(controls, (sign) => (sign === "\u007f" ? deletePicture : String.fromCharCode(firstPicture + sign.charCodeAt(0))))
    .replace(unshown, "\ufffd");
}

/** The same on one line, for titles and names. */
export function markdownLine(text: string): string {
  return markdownText(text).replace(/[\n\t]/g, " ");
}
