/**
 * Finds the parts of Markdown that are certainly code. Possible code in lists, quotes, tables and HTML counts as text, so that mentions
 * and HTML comments in it are found. Pure. https://github.github.com/gfm/
 */

/** A piece of Markdown. The pieces, in order, are the whole text. */
export interface MarkdownPiece {
  readonly kind: "text" | "code";
  readonly text: string;
}

const openingFence = /^(?:(`{3,})[^`]*|(~{3,}).*)$/;
/** A fence that may be inside another block. After it, no line is certainly code. */
const uncertainFence = /^[\s>*+\d.)-]+(?:`{3,}|~{3,})/;
/** HTML blocks that do not end at a blank line, except comments. */
const openHtml = /<(?:script|pre|style|textarea)(?![\w-])|<\?|<!(?!--)/i;
/** The start of a possible HTML block that ends at a blank line. */
const htmlLine = /^ {0,3}</;

export function markdownPieces(markdown: string): readonly MarkdownPiece[] {
  const lines = markdown.split("\n");
  const pieces: MarkdownPiece[] = [];
  let paragraph: string[] = [];
  let isCertain = true;
  const endParagraph = () => {
    if (paragraph.length > 0) for (const piece of inlinePieces(paragraph, isCertain)) pieces.push(piece);
    paragraph = [];
  };
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const fence = isCertain && !paragraph.some((before) => htmlLine.test(before)) ? openingFence.exec(line) : null;
    if (fence !== null) {
      endParagraph();
      const end = endOfFence(lines, at, fence[1] ?? fence[2] ?? "");
      pieces.push({ kind: "code", text: textOf(lines.slice(at, end + 1), end + 1 < lines.length) });
      at = end;
      continue;
    }
    if (openHtml.test(line) || uncertainFence.test(line) || openingFence.test(line)) isCertain = false;
    paragraph.push(textOf([line], at + 1 < lines.length));
    if (line.trim() === "") endParagraph();
  }
  endParagraph();
  return pieces;
}

function textOf(lines: readonly string[], hasBreak: boolean): string {
  return `${lines.join("\n")}${hasBreak ? "\n" : ""}`;
}

/** The line that closes the fence, else the last one. */
function endOfFence(lines: readonly string[], start: number, fence: string): number {
  for (let at = start + 1; at < lines.length; at += 1) if (closes(fence, lines[at] ?? "")) return at;
  return lines.length - 1;
}

function closes(fence: string, line: string): boolean {
  const closing = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1];
  return closing?.startsWith(fence) === true;
}

/**
 * Code spans are certain only if each begins and ends on one line: then no backtick pairs across lines, whatever blocks the lines belong
 * to. Paragraphs with escapes, tags, tables or math count as text, since these can contain a backtick.
 */
function inlinePieces(paragraph: readonly string[], isCertain: boolean): readonly MarkdownPiece[] {
  const whole = paragraph.join("");
  const asText = [{ kind: "text", text: whole }] as const;
  if (!isCertain || /\\`|[<|$]/.test(whole) || !whole.includes("`")) return asText;
  const lines = paragraph.map(spansOf);
  return lines.every((line) => line !== undefined) ? lines.flatMap((line) => line ?? []) : asText;
}

/** The pieces of one line; undefined if a run of backticks has no counterpart. Takes linear time. */
function spansOf(line: string): readonly MarkdownPiece[] | undefined {
  const runs = [...line.matchAll(/`+/g)];
  const counterparts = nextOfSameLength(runs.map(([run]) => run.length));
  const pieces: MarkdownPiece[] = [];
  let from = 0;
  for (let at = 0; at < runs.length; ) {
    const run = runs[at];
    const end = counterparts[at];
    const closing = end === undefined ? undefined : runs[end];
    if (run === undefined || end === undefined || closing === undefined) return undefined;
    const stop = closing.index + closing[0].length;
    pieces.push({ kind: "text", text: line.slice(from, run.index) }, { kind: "code", text: line.slice(run.index, stop) });
    from = stop;
    at = end + 1;
  }
  return [...pieces, { kind: "text", text: line.slice(from) }];
}

/** Maps the start of each run of backticks to the end of the code span that it would open: the end of the next run of equal length. */
export function codeSpanEnds(text: string): ReadonlyMap<number, number> {
  const runs = [...text.matchAll(/`+/g)];
  const counterparts = nextOfSameLength(runs.map(([run]) => run.length));
  return new Map(
    runs.flatMap(({ index }, at) => {
      const closing = runs[counterparts[at] ?? -1];
      return closing === undefined ? [] : [[index, closing.index + closing[0].length]];
    }),
  );
}

/** For each position, the next position with the same length. */
function nextOfSameLength(lengths: readonly number[]): readonly (number | undefined)[] {
  const next: (number | undefined)[] = [];
  const last = new Map<number, number>();
  for (let at = lengths.length - 1; at >= 0; at -= 1) {
    const length = lengths[at] ?? 0;
    next[at] = last.get(length);
    last.set(length, at);
  }
  return next;
}
