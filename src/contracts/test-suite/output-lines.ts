/** Splits a command's output into lines, as a terminal shows them. Pure. */
import { withoutSequences } from "../../text/control-characters.ts";

/** Maximum characters of a line: raw, with colors, and as passed to `onLine`. */
const limits = { raw: 20_000, line: 2_000 } as const;

export interface OutputLines {
  push(chunk: Uint8Array): void;
  /** Flushes a last line without a line feed. */
  end(): void;
}

/** Calls `onLine` for each line, without colors and truncated with `…` to 2,000 characters. */
export function readOutputLines(onLine: (line: string) => void): OutputLines {
  const decoder = new TextDecoder();
  let rest = "";
  return {
    push(chunk) {
      const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split("\n");
      rest = (lines.pop() ?? "").slice(0, limits.raw);
      for (const line of lines) onLine(shown(line));
    },
    end() {
      if (rest !== "") onLine(shown(rest));
      rest = "";
    },
  };
}

/** Keeps the text after the last carriage return, which progress bars use to overwrite a line. */
function shown(raw: string): string {
  const line = withoutSequences(raw.slice(0, limits.raw).replace(/\r+$/, ""));
  const last = line.slice(line.lastIndexOf("\r") + 1);
  return last.length <= limits.line ? last : `${last.slice(0, limits.line).replace(/[\ud800-\udbff]$/, "")}…`;
}
