/** Delimits untrusted text so that a model can distinguish it from its instructions. Pure. */
import { longestBackticks } from "../text/printable.ts";

/** A fenced code block. The fence is longer than any run of backticks in `text`. `kind` is the info string. Ends without a newline. */
export function fencedText(text: string, kind = "text"): string {
  const fence = "`".repeat(Math.max(3, longestBackticks(text) + 1));
  return `${fence}${kind}\n${text}${text.endsWith("\n") ? "" : "\n"}${fence}`;
}

/** A code span on one line. Backticks in `text` cannot end it; whitespace is collapsed. */
export function quoted(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  if (!line.includes("`")) return `\`${line}\``;
  const fence = "`".repeat(longestBackticks(line) + 1);
  return `${fence} ${line} ${fence}`;
}
