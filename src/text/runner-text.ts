/**
 * Breaks workflow commands in text for the log of a GitHub runner. Pure.
 *
 * The runner reads lines that end with LF, CR or both. It trims leading Unicode white space, then searches for `::name …::` at the start,
 * else for `##[name …]` anywhere. Both searches use .NET's culture, which skips ignorable characters.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */

const ignorable = String.raw`[\p{Default_Ignorable_Code_Point}\p{Cc}]`;
/** A single class, so that no text matches in two ways (exponential time). */
const lead = String.raw`(?:(?![\r\n])[\s\p{Default_Ignorable_Code_Point}\p{Cc}])*`;
/** A space between the colons breaks the command: a space is not ignorable. */
const commandStart = new RegExp(String.raw`(^|[\r\n])(${lead}):(?=${ignorable}*:)`, "gu");
/** The start of `##[`, with a group for the ignorable characters after each `#`. */
export const bracketPattern = String.raw`#(${ignorable}*)#(${ignorable}*)\[`;
const bracketStart = new RegExp(bracketPattern, "gu");

/** Breaks the commands in a complete text: `::` at the start of a line becomes `: :`, and `##[` becomes `## [`. */
export function withoutRunnerCommands(text: string): string {
  return text.replace(bracketStart, "#$1#$2 [").replace(commandStart, "$1$2: ");
}

/** Characters of earlier text that are checked for the start of a command. Few ignorable characters get this far. */
const keptLength = 32;

/** The end of the text written to a stream so far. Streams that are written to the same log share one. */
export interface WrittenEnd {
  text: string;
}

const colonEnd = new RegExp(`:${ignorable}*$`, "u");
const colonFirst = new RegExp(`^${lead}:`, "u");
const bracketCut = [
  [new RegExp(`#${ignorable}*#${ignorable}*$`, "u"), new RegExp(String.raw`^${ignorable}*\[`, "u")],
  [new RegExp(`#${ignorable}*$`, "u"), new RegExp(String.raw`^${ignorable}*#${ignorable}*\[`, "u")],
] as const;

/**
 * Breaks the commands in the next piece of a stream. The start of a piece counts as the start of a line. Commands that are split over
 * pieces are detected with `ends`, which are updated.
 */
export function nextRunnerText(ends: readonly WrittenEnd[], text: string): string {
  if (text === "") return "";
  const cut = ends.some((end) => completes(end.text, text));
  const shown = `${cut ? " " : ""}${withoutRunnerCommands(text)}`;
  for (const end of ends) end.text = `${end.text}${shown}`.slice(-keptLength);
  return shown;
}

function completes(end: string, text: string): boolean {
  if (colonEnd.test(end) && colonFirst.test(text)) return true;
  return bracketCut.some(([before, after]) => before.test(end) && after.test(text));
}
