/** Objects on lines, as agents tell what they do. Lines that are no JSON are given as they are. Pure. */

export type Line = Readonly<Record<string, unknown>>;

/** Takes bytes and hands each whole line to `onLine`, with its text where it is no object. Gives what `onLine` gave, joined. */
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
