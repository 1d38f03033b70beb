/** Output that neutralises what its destination would obey. Every stream of Wave is made here. */
import { StringDecoder } from "node:string_decoder";
import type { Output } from "../core/io.ts";
import { nextRunnerText, type WrittenEnd } from "../text/runner-text.ts";
import { terminalText } from "../text/terminal-text.ts";

export interface OutputSetting extends Pick<Output, "isTerminal" | "color" | "columns" | "rows"> {
  /** Writes to the destination. */
  readonly write: (data: string | Uint8Array) => void;
  /** A runner reads it and obeys workflow commands. Combines with `isTerminal`. */
  readonly isRunner: boolean;
  /** The end of everything that all streams of the process wrote: a shell may join them in one log. */
  readonly joined: WrittenEnd;
  /** Replaces secrets in text. */
  readonly redact: (text: string) => string;
  /** Called once, before data reaches a runner in another form than it has. */
  readonly onAlteredData?: () => void;
}

/** An output on a destination. */
export function outputOn(setting: OutputSetting): Output {
  const { write, isTerminal, isRunner, color, columns, rows, joined, redact } = setting;
  const own: WrittenEnd = { text: "" };
  const decoder = new StringDecoder("utf8");
  let isAltered = false;
  const forRunner = (text: string) => (isRunner ? nextRunnerText([own, joined], text) : text);
  const neutral = (text: string, colors: boolean) => {
    const clean = redact(text);
    const shown = terminalText(clean, { color: colors });
    // Without the sequences in it, a secret that was cut by them is whole.
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
      // These are whole lines, or redraw whole lines.
      own.text = joined.text = "";
      write(text);
    },
  };
}
