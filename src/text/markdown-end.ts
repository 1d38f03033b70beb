/**
 * Closes the blocks, tags and elements that a Markdown text leaves open, so that text after it does not become part of them. Lists and
 * quotes need no closing: a blank line and unindented text end them. Pure. https://spec.commonmark.org/0.31.2/#phase-1-block-structure
 */
import { containerTag, elementClosers, inlineTags, readTags, type Tag } from "./html-tags.ts";

/** A text with its unfinished tags completed, and the lines that close its open blocks and elements. */
export interface ClosedMarkdown {
  readonly text: string;
  readonly closers: readonly string[];
}

/** HTML blocks that end at a marker, not at a blank line: scripts and the like, comments, instructions, declarations and CDATA. */
const htmlBlocks: readonly { readonly start: RegExp; readonly end: RegExp; readonly closer: (start: string) => string }[] = [
  {
    start: /^ {0,3}<(?:script|pre|style|textarea)(?:[ \t>]|$)/i,
    end: /<\/(?:script|pre|style|textarea)>/i,
    closer: (start) => `</${/[a-z]+/i.exec(start)?.[0]}>`,
  },
  { start: /^ {0,3}<!--/, end: /-->/, closer: () => "-->" },
  { start: /^ {0,3}<\?/, end: /\?>/, closer: () => "?>" },
  { start: /^ {0,3}<![A-Za-z]/, end: />/, closer: () => ">" },
  { start: /^ {0,3}<!\[CDATA\[/, end: /\]\]>/, closer: () => "]]>" },
];
/** HTML blocks that end at a blank line. Other tags start one only if alone on their line and not in a paragraph. */
const blockTags =
  /^ {0,3}<\/?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul)(?:[ \t]|\/?>|$)/i;
const loneTag = /^ {0,3}<\/?[a-z][a-z0-9-]*(?:\s[^<>]*)?\/?>[ \t]*$/i;
const heading = /^ {0,3}#{1,6}(?:[ \t]|$)/;
const underline = /^ {0,3}(?:=+|-+)[ \t]*$/;
const rule = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const quote = /^ {0,3}> ?/;
const listItem = /^( {0,3})([-+*]|\d{1,9}[.)])( *)(.*)$/;
const fence = /^ {0,3}(?:(`{3,})[^`]*|(~{3,}).*)$/;

/** A block that contains blocks. Lines indented to `column` belong to a list item. */
type Container = { readonly kind: "quote" } | { readonly kind: "item"; readonly column: number; isEmpty: boolean };

/** A block that contains text. */
type Leaf =
  | { readonly kind: "none" | "paragraph" | "code" | "html" }
  | { readonly kind: "fence"; readonly sign: string }
  | { readonly kind: "html-until"; readonly end: RegExp; readonly closer: string };

const none: Leaf = { kind: "none" };

/** Closes a text. Takes linear time, except for nested containers. */
export function closedMarkdown(markdown: string): ClosedMarkdown {
  const scan = new BlockScan();
  for (const line of markdown.split("\n")) scan.read(line);
  return scan.end();
}

/** Tracks the open blocks of a text, line by line. */
class BlockScan {
  readonly #lines: string[] = [];
  readonly #tags: Tag[] = [];
  readonly #containers: Container[] = [];
  #leaf: Leaf = none;
  /** The lines of the leaf without container markers; empty if the leaf is code. */
  #text: string[] = [];
  /** The index of the leaf's last line that is not blank. */
  #textEnd = 0;

  read(line: string): void {
    this.#lines.push(line);
    const { matched, rest } = matchContainers(this.#containers, expandTabs(line));
    const isContinued = matched === this.#containers.length;
    if (isContinued && this.#continueLeaf(rest)) return;
    const started = this.#startBlocks(matched, rest);
    if (started.isLeaf) return;
    const isBlank = isBlankLine(started.rest);
    // A lazy continuation: a line of a paragraph without the markers of its containers.
    const isLazy = !started.any && !isContinued && this.#leaf.kind === "paragraph" && !isBlank;
    if (!isLazy && !started.any) this.#close(matched);
    if (isBlank) {
      this.#setLeaf(none);
      return;
    }
    if (!isLazy) this.#markFilled();
    if (this.#leaf.kind !== "paragraph") this.#setLeaf({ kind: indentOf(started.rest) >= 4 ? "code" : "paragraph" });
    if (this.#leaf.kind === "paragraph") this.#addText(started.rest);
  }

  end(): ClosedMarkdown {
    const leaf = this.#leaf;
    const isTop = this.#containers.length === 0;
    this.#setLeaf(none, !isTop);
    this.#close(0);
    const block = !isTop ? [] : leaf.kind === "fence" ? [leaf.sign] : leaf.kind === "html-until" ? [leaf.closer] : [];
    return { text: this.#lines.join("\n"), closers: [...block, ...elementClosers(this.#tags)] };
  }

  /** Adds a line to an open fence or HTML block. Returns whether it belongs there. */
  #continueLeaf(rest: string): boolean {
    const leaf = this.#leaf;
    if (leaf.kind === "fence") {
      if (closesFence(leaf.sign, rest)) this.#setLeaf(none);
      return true;
    }
    if (leaf.kind !== "html-until" && (leaf.kind !== "html" || isBlankLine(rest))) return false;
    this.#addText(rest);
    if (leaf.kind === "html-until" && leaf.end.test(rest)) this.#setLeaf(none);
    return true;
  }

  /** Opens the containers that start in a line, and a leaf other than a paragraph. */
  #startBlocks(matched: number, line: string): { readonly rest: string; readonly any: boolean; readonly isLeaf: boolean } {
    let rest = line;
    for (let any = false; ; any = true) {
      const isParagraph = this.#leaf.kind === "paragraph" && matched === this.#containers.length;
      if (isBlankLine(rest) || indentOf(rest) >= 4) return { rest, any, isLeaf: false };
      const isQuote = quote.test(rest);
      const leaf = isQuote ? undefined : leafAt(rest, isParagraph, this.#leaf.kind === "paragraph");
      const item = isQuote || leaf !== undefined ? undefined : itemAt(rest, isParagraph);
      if (!isQuote && leaf === undefined && item === undefined) return { rest, any, isLeaf: false };
      if (!any) this.#close(matched);
      if (leaf !== undefined) {
        this.#startLeaf(leaf, rest);
        return { rest, any: true, isLeaf: true };
      }
      this.#markFilled();
      this.#setLeaf(none);
      this.#containers.push(
        item === undefined ? { kind: "quote" } : { kind: "item", column: item.column, isEmpty: isBlankLine(item.rest) },
      );
      this.#tags.push({ element: containerTag, isEnd: false });
      rest = item === undefined ? rest.replace(quote, "") : item.rest;
    }
  }

  #startLeaf(leaf: Leaf, line: string): void {
    this.#markFilled();
    // The paragraph above an underline is a heading.
    const isUnderline = leaf.kind === "none" && this.#leaf.kind === "paragraph" && underline.test(line);
    if (!isUnderline) this.#setLeaf(none);
    // A heading ends with its line: only formatting elements stay open after it.
    if (leaf.kind === "none") this.#tags.push({ element: containerTag, isEnd: false }, ...inlineTags(line));
    this.#setLeaf(leaf);
    if (leaf.kind === "none") this.#tags.push({ element: containerTag, isEnd: true });
    if (leaf.kind === "html" || leaf.kind === "html-until") this.#addText(line);
    if (leaf.kind === "html-until" && leaf.end.test(line)) this.#setLeaf(none);
  }

  #addText(line: string): void {
    this.#text.push(line);
    if (!isBlankLine(line)) this.#textEnd = this.#lines.length - 1;
  }

  /** `withContainer`: the leaf ends because its container ends. */
  #setLeaf(next: Leaf, withContainer = false): void {
    const leaf = this.#leaf;
    if (this.#text.length > 0) {
      const text = this.#text.join("\n");
      const isHtml = leaf.kind === "html" || leaf.kind === "html-until";
      const ending = isHtml ? htmlEnding(text, leaf) + (withContainer && leaf.kind === "html-until" ? leaf.closer : "") : "";
      if (ending !== "") this.#lines[this.#textEnd] = `${this.#lines[this.#textEnd]?.trimEnd()}${ending}`;
      for (const tag of isHtml ? readTags(`${text}${ending}`).tags : inlineTags(text)) this.#tags.push(tag);
    }
    this.#text = [];
    this.#leaf = next;
  }

  #markFilled(): void {
    const innermost = this.#containers.at(-1);
    if (innermost?.kind === "item") innermost.isEmpty = false;
  }

  #close(matched: number): void {
    if (matched === this.#containers.length) return;
    this.#setLeaf(none, true);
    for (; this.#containers.length > matched; this.#containers.pop()) this.#tags.push({ element: containerTag, isEnd: true });
  }
}

/** The number of containers that a line continues, and the line after their markers. */
function matchContainers(containers: readonly Container[], line: string): { readonly matched: number; readonly rest: string } {
  let rest = line;
  let matched = 0;
  for (const container of containers) {
    if (container.kind === "quote") {
      if (!quote.test(rest)) break;
      rest = rest.replace(quote, "");
    } else if (isBlankLine(rest)) {
      if (container.isEmpty) break;
    } else if (indentOf(rest) < container.column) break;
    else rest = rest.slice(container.column);
    matched += 1;
  }
  return { matched, rest };
}

/**
 * The leaf that a line starts; undefined for a paragraph or indented code. Headings and rules end with their line. `mayContinue`: the
 * line could continue a paragraph, if only lazily.
 */
function leafAt(line: string, isParagraph: boolean, mayContinue: boolean): Leaf | undefined {
  const [, ticks, tildes] = fence.exec(line) ?? [];
  const sign = ticks ?? tildes;
  if (sign !== undefined) return { kind: "fence", sign };
  if (heading.test(line) || rule.test(line) || (isParagraph && underline.test(line))) return none;
  if (!/^ {0,3}</.test(line)) return undefined;
  const block = htmlBlocks.find(({ start }) => start.test(line));
  if (block !== undefined) return { kind: "html-until", end: block.end, closer: block.closer(line) };
  return blockTags.test(line) || (!mayContinue && loneTag.test(line)) ? { kind: "html" } : undefined;
}

/** The list item that a line starts: the column of its text, and the line after its marker. */
function itemAt(line: string, isParagraph: boolean): { readonly column: number; readonly rest: string } | undefined {
  const [, before = "", marker, space = "", text = ""] = listItem.exec(line) ?? [];
  if (marker === undefined || (space === "" && text !== "")) return undefined;
  // Within a paragraph, an empty item and numbers other than 1 are text.
  if (isParagraph && (text === "" || !/^(?:[-+*]|1[.)])$/.test(marker))) return undefined;
  // With five or more spaces, the item starts with indented code.
  const width = text === "" || space.length > 4 ? 1 : space.length;
  return { column: before.length + marker.length + width, rest: line.slice(before.length + marker.length + width) };
}

function closesFence(sign: string, line: string): boolean {
  return /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1]?.startsWith(sign) === true;
}

/** Markdown counts only spaces and tabs as blank. */
function isBlankLine(line: string): boolean {
  return /^[ \t]*$/.test(line);
}

function indentOf(line: string): number {
  return line.length - line.replace(/^ +/, "").length;
}

/** Expands tabs to stops of four, so that text after a marker keeps its column. */
function expandTabs(line: string): string {
  if (!line.includes("\t")) return line;
  let expanded = "";
  for (const part of line.split(/(?<=\t)/)) {
    const text = part.replace("\t", "");
    expanded += text;
    if (text !== part) expanded += " ".repeat(4 - (expanded.length % 4));
  }
  return expanded;
}

/** The text that completes an unfinished tag or comment of an HTML block. Empty for a comment that is the block itself. */
function htmlEnding(html: string, leaf: Leaf): string {
  const { ending, endingFrom } = readTags(html);
  const isBlock = leaf.kind === "html-until" && html.slice(0, endingFrom).trim() === "" && !/^<[a-z]/i.test(html.slice(endingFrom));
  return isBlock ? "" : ending;
}
