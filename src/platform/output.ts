/** Creates Wave's output streams, which neutralise control sequences and commands that their destination would execute. */
import { StringDecoder } from "node:string_decoder";
import type { Output } from "../core/io.ts";
import { nextRunnerText, type WrittenEnd } from "../text/runner-text.ts";
import { terminalText } from "../text/terminal-text.ts";

export interface OutputSetting extends Pick<Output, "isTerminal" | "color" | "columns" | "rows"> {
  /** Writes to the destination. */
  readonly write: (data: string | Uint8Array) => void;
  /** Whether a runner reads it and executes workflow commands. Can be combined with `isTerminal`. */
  readonly isRunner: boolean;
  /** The end of the output of all streams of the process: a shell may join them in one log. */
  readonly joined: WrittenEnd;
  /** Replaces secrets in text. */
  readonly redact: (text: string) => string;
  /** Called once, before altered data is written for a runner. */
  readonly onAlteredData?: () => void;
}

export function outputOn(setting: OutputSetting): Output {
  const { write, isTerminal, isRunner, color, columns, rows, joined, redact } = setting;
  const own: WrittenEnd = { text: "" };
  const decoder = new StringDecoder("utf8");
  let isAltered = false;
  const forRunner = (text: string) => (isRunner ? nextRunnerText([own, joined], text) : text);
  const neutral = (text: string, colors: boolean) => {
    const clean = redact(text);
    const shown = terminalText(clean, { color: colors });
    // Redacts again: without its control sequences, text may contain a complete secret.
    return forRunner(shown === clean ? shown : redact(shown));
  };
  const alter = () => {
    if (isAltered) return;
    isAltered = true;
    setting.onAlteredData?.();
  };
  return {
    isTerminal,
    color,
    columns,
    rows,
    write: (text) => write(neutral(text, color)),
    writeData: (data) => {
      if (!isTerminal && !isRunner) return write(data);
      const text = typeof data === "string" ? data : decoder.write(Buffer.from(data));
      const shown = neutral(text, false);
      if (isRunner && shown !== text) alter();
      write(shown);
    },
    writeControl: (text) => {
      // Control text is whole lines, or redraws whole lines.
      own.text = joined.text = "";
      write(text);
    },
  };
}
