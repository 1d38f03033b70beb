/** Parses the JSON Lines output of agents. Tolerates other lines and values. Pure. */

export type Line = Readonly<Record<string, unknown>>;

/** A parser that calls `onLine` for each complete, non-empty line. `line` is undefined if it is not a JSON object. */
export function jsonLines(onLine: (line: Line | undefined, text: string) => string): (chunk: Uint8Array) => string {
  const decoder = new TextDecoder();
  let rest = "";
  return (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    return lines
      .filter((text) => text.trim() !== "")
      .map((text) => onLine(parse(text), text))
      .join("");
  };
}

export function objectOf(value: unknown): Line {
  return typeof value === "object" && value !== null ? (value as Line) : {};
}

export function listOf(value: unknown): readonly Line[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

function parse(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Line) : undefined;
  } catch {
    return undefined;
  }
}
