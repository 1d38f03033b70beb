/** Marks text that comes from outside, so that a model can tell it from what it is told to do. Pure. */
import { longestBackticks } from "../text/printable.ts";

/** A fenced block whose fence is longer than any run of backticks inside; `kind` is the word after it. Ends without a newline. */
export function codeBlock(text: string, kind = "text"): string {
  const fence = "`".repeat(Math.max(3, longestBackticks(text) + 1));
  return `${fence}${kind}\n${text}${text.endsWith("\n") ? "" : "\n"}${fence}`;
}

/** Text as a code span on one line, whatever backticks and line breaks it holds. */
export function quoted(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  if (!line.includes("`")) return `\`${line}\``;
  const fence = "`".repeat(longestBackticks(line) + 1);
  return `${fence} ${line} ${fence}`;
}
