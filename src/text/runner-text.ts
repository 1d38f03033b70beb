/**
 * Text for the log of a GitHub runner: the runner finds no workflow command in it. Pure.
 *
 * The runner reads lines, ended by LF, CR or both. It trims leading white space (Unicode's), then looks for `::name …::` at the start, else for
 * `##[name …]` anywhere. Both searches use .NET's culture, which skips ignorable characters.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */

const ignorable = String.raw`[\p{Default_Ignorable_Code_Point}\p{Cc}]`;
/** One class, so that no text has two ways to match. */
const lead = String.raw`(?:(?![\r\n])[\s\p{Default_Ignorable_Code_Point}\p{Cc}])*`;
/** A space between the signs is enough: it is not ignorable. */
const commandStart = new RegExp(String.raw`(^|[\r\n])(${lead}):(?=${ignorable}*:)`, "gu");
/** The start of `##[`, with one group for what is between two signs. */
export const bracketPattern = String.raw`#(${ignorable}*)#(${ignorable}*)\[`;
const bracketStart = new RegExp(bracketPattern, "gu");

/** Whole text, without workflow commands: `::` at the start of a line becomes `: :`, and `##[` becomes `## [`. */
export function withoutRunnerCommands(text: string): string {
  return text.replace(bracketStart, "#$1#$2 [").replace(commandStart, "$1$2: ");
}

/** Characters of earlier text that are looked at. Between signs, only a few ignorable ones get this far. */
const kept = 32;

/** The end of what was written to a stream so far. Streams that end in one log share one. */
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
 * The next piece of a stream, without commands. Its start counts as the start of a line. A command that is split over several pieces is found by
 * `ends`, which are updated.
 */
export function nextRunnerText(ends: readonly WrittenEnd[], text: string): string {
  if (text === "") return "";
  const cut = ends.some((end) => completes(end.text, text));
  const shown = `${cut ? " " : ""}${withoutRunnerCommands(text)}`;
  for (const end of ends) end.text = `${end.text}${shown}`.slice(-kept);
  return shown;
}

function completes(end: string, text: string): boolean {
  if (colonEnd.test(end) && colonFirst.test(text)) return true;
  return bracketCut.some(([before, after]) => before.test(end) && after.test(text));
}
