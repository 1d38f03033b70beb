/** Splits a command's output into lines of text, as a terminal shows them. Pure. */
import { withoutSequences } from "../../text/control-characters.ts";

/** Characters of one line: of the raw text, which may hold colours, and of the line that callers receive. */
const limits = { raw: 20_000, line: 2_000 } as const;

export interface OutputLines {
  push(chunk: Uint8Array): void;
  /** Passes on a last line that has no line feed. */
  end(): void;
}

/** `onLine` receives lines without colours and of at most 2,000 characters; `…` ends one that was cut. */
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

/** A carriage return starts the line over, as progress bars do. */
function shown(raw: string): string {
  const line = withoutSequences(raw.slice(0, limits.raw).replace(/\r+$/, ""));
  const last = line.slice(line.lastIndexOf("\r") + 1);
  return last.length <= limits.line ? last : `${last.slice(0, limits.line).replace(/[\ud800-\udbff]$/, "")}…`;
}
