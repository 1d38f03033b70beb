/** Wraps the prose of a Markdown page at 100 columns. Headings, tables, comments and code blocks are not changed. */

const columns = 100;

export function wrapMarkdown(page: string): string {
  const wrapped: string[] = [];
  let block: string[] = [];
  let inCode = false;
  const flush = () => {
    wrapped.push(...wrapBlock(block));
    block = [];
  };
  for (const line of page.split("\n")) {
    const isCodeMarker = line.trimStart().startsWith("```");
    if (inCode || isCodeMarker || /^\s*(?:$|\||#|<!--)/.test(line)) {
      flush();
      wrapped.push(line);
      if (isCodeMarker) inCode = !inCode;
    } else {
      if (listItem.test(line)) flush();
      block.push(line);
    }
  }
  flush();
  return wrapped.join("\n");
}

const listItem = /^\s*(?:[-*]|\d+\.) /;

/** One paragraph or list item. Continuation lines of an item are indented to its text. */
function wrapBlock(lines: readonly string[]): readonly string[] {
  const [first = ""] = lines;
  if (lines.length === 0) return [];
  const prefix = listItem.exec(first)?.[0] ?? /^\s*/.exec(first)?.[0] ?? "";
  const wrapped: string[] = [];
  let line = prefix;
  for (const word of wordsOf(lines.join("\n").slice(prefix.length))) {
    const isEmpty = line.trimEnd() === prefix.trimEnd();
    if (!isEmpty && line.length + 1 + word.length > columns && !startsBlock(word)) {
      wrapped.push(line);
      line = `${" ".repeat(prefix.length)}${word}`;
    } else line += isEmpty ? word : ` ${word}`;
  }
  return [...wrapped, line];
}

/** Code spans and links are parts of one word, so that they stay on one line. */
function wordsOf(text: string): readonly string[] {
  return text.match(/(?:(`+)[^`]+\1|\[(?:`[^`]*`|[^\]`])*\]\([^)\s]*\)|\S)+/g) ?? [];
}

/** Whether a word at the start of a line would start a list, a heading, a quote or a table. */
function startsBlock(word: string): boolean {
  return /^(?:[-+*]|\d+[.)])$|^[#|>]/.test(word);
}
