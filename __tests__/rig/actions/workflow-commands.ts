/** How a runner reads what an action prints and the files that it writes: workflow commands, masks, stop-commands, and `name<<delimiter` files. */

export interface Annotation {
  readonly level: "notice" | "warning" | "error";
  readonly message: string;
  readonly properties: Readonly<Record<string, string>>;
}

export interface RunnerLog {
  readonly annotations: Annotation[];
  readonly masks: string[];
  /** Commands that a runner refuses today, and that it does not know. */
  readonly refused: string[];
  /** The log as people see it: commands obeyed, secrets masked. */
  readonly lines: string[];
}

const known = new Set([
  "group",
  "endgroup",
  "debug",
  "notice",
  "warning",
  "error",
  "add-mask",
  "stop-commands",
  "echo",
  "add-matcher",
  "remove-matcher",
]);

/** Reads lines as they come; the state of masks and stopped commands goes from line to line. */
export function runnerLog(): RunnerLog & { read(line: string): void } {
  const log: RunnerLog = { annotations: [], masks: [], refused: [], lines: [] };
  let stopped: string | undefined;
  const obey = (name: string, properties: Readonly<Record<string, string>>, message: string) => {
    if (name === "add-mask") log.masks.push(message);
    else if (name === "stop-commands") stopped = message;
    else if (name === "notice" || name === "warning" || name === "error") log.annotations.push({ level: name, message, properties });
    else if (!known.has(name)) log.refused.push(name);
  };
  return {
    ...log,
    read(line) {
      const found = /^\s*::([a-zA-Z-]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/.exec(line);
      if (stopped !== undefined) {
        if (line.trim() === `::${stopped}::`) stopped = undefined;
        else log.lines.push(masked(line, log.masks));
        return;
      }
      if (found === null) {
        log.lines.push(masked(line, log.masks));
        return;
      }
      const [, name = "", words = "", message = ""] = found;
      obey(name, propertiesOf(words), unescaped(message));
      if (name !== "add-mask") log.lines.push(masked(`[${name}] ${unescaped(message)}`, log.masks));
    },
  };
}

/** `name=value` lines, and `name<<delimiter` blocks. Throws where a block does not end: a runner fails the step then. */
export function readFileCommands(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line === "") continue;
    const block = /^([^=<]+)<<(.+)$/.exec(line);
    const plain = /^([^=]+)=(.*)$/.exec(line);
    if (block !== null) {
      const [, name = "", delimiter = ""] = block;
      const end = lines.indexOf(delimiter, at + 1);
      if (end < 0) throw new Error(`the value of ${name} does not end`);
      values[name] = lines.slice(at + 1, end).join("\n");
      at = end;
    } else if (plain !== null) values[plain[1] ?? ""] = plain[2] ?? "";
    else throw new Error(`not a file command: ${line}`);
  }
  return values;
}

function masked(line: string, masks: readonly string[]): string {
  return masks.filter((mask) => mask !== "").reduce((text, mask) => text.replaceAll(mask, "***"), line);
}

function propertiesOf(words: string): Record<string, string> {
  return Object.fromEntries(
    words
      .split(",")
      .map((word) => /^([a-zA-Z]+)=(.*)$/s.exec(word.trim()))
      .filter((found) => found !== null)
      .map(([, name = "", value = ""]) => [name, unescaped(value).replaceAll("%3A", ":").replaceAll("%2C", ",")]),
  );
}

function unescaped(text: string): string {
  return text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
}
