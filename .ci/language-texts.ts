/** The texts that the language check reads: comments, messages and names of a TypeScript file, the prose of a Markdown or YAML file. */
import { parseAst } from "rolldown/parseAst";

/** `header`: the comment that a file starts with. */
export type TextKind = "inline" | "docstring" | "header" | "message" | "docs";

export interface Text {
  readonly kind: TextKind;
  readonly file: string;
  /** Of the first line, from 1. */
  readonly line: number;
  /** Several lines, joined with `\n`; code spans and links are replaced by `x`. */
  readonly text: string;
}

export interface Name {
  readonly file: string;
  readonly line: number;
  readonly name: string;
}

export interface Source {
  readonly texts: readonly Text[];
  readonly names: readonly Name[];
}

interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** Throws for a file that does not parse. */
export function readTypeScript(file: string, source: string): Source {
  const lineAt = lineCounter(source);
  const literals: SyntaxNode[] = [];
  const names: Name[] = [{ file, line: 1, name: nameOfFile(file) }];
  const texts: Text[] = [];
  visit(parseAst(source, { lang: "ts", sourceType: "module" }, file), undefined, "", (node, parent, key) => {
    if (node.type === "Literal" || node.type === "TemplateElement") literals.push(node);
    if (isDeclared(node, parent, key)) names.push({ file, line: lineAt(node.start), name: String(node.name) });
    const message = parent?.type === "ImportDeclaration" ? undefined : messageOf(node);
    if (message !== undefined) texts.push({ kind: "message", file, line: lineAt(node.start), text: withoutCode(message) });
  });
  texts.push(...commentsOf(source, literals).map((comment) => ({ ...comment, file, line: lineAt(comment.start) })));
  return { texts: texts.sort((a, b) => a.line - b.line), names };
}

/** `src/a/leaf-tree.ts` → `leafTree`. */
function nameOfFile(file: string): string {
  const base = file.slice(file.lastIndexOf("/") + 1).replace(/\..*$/, "");
  return base.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

interface Comment {
  readonly kind: "inline" | "docstring" | "header";
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Comments outside literals. Lines of `//` that follow one another are one comment; directives of tools are left out. */
function commentsOf(source: string, literals: readonly SyntaxNode[]): readonly Comment[] {
  const ends = new Map(literals.map(({ start, end }) => [start, end]));
  const found: Comment[] = [];
  for (let at = 0; at < source.length; at += 1) {
    const literalEnd = ends.get(at);
    if (literalEnd !== undefined && literalEnd > at) {
      at = literalEnd - 1;
    } else if (source.startsWith("/*", at)) {
      const end = source.indexOf("*/", at + 2) + 2;
      const body = source.slice(at + 2, end - 2).replace(/^\s*\* ?/gm, "");
      const kind = source.startsWith("/**", at) ? "docstring" : "inline";
      found.push({ kind: at === 0 ? "header" : kind, start: at, end, text: body });
      at = end - 1;
    } else if (source.startsWith("//", at)) {
      const newline = source.indexOf("\n", at);
      const end = newline < 0 ? source.length : newline;
      const text = source.slice(at + 2, end);
      const before = found.at(-1);
      const joins = before?.kind === "inline" && /^\n[ \t]*$/.test(source.slice(before.end, at)) && ownLine(source, before.start);
      if (joins) found[found.length - 1] = { ...before, end, text: `${before.text}\n${text}` };
      else found.push({ kind: "inline", start: at, end, text });
      at = end - 1;
    }
  }
  const directive = /^\s*(?:biome-ignore|@ts-|eslint-|prettier-|#region|#endregion|<reference|@license|istanbul|c8 |v8 )/;
  return found
    .filter(({ text }) => /[A-Za-z]/.test(text) && !directive.test(text))
    .map((comment) => ({ ...comment, text: withoutCode(comment.text.trim()) }));
}

function ownLine(source: string, at: number): boolean {
  return /(?:^|\n)[ \t]*$/.test(source.slice(Math.max(0, at - 200), at));
}

/** The text of a literal that reads as prose: four words or more, most of them plain, and no SQL or shell. */
function messageOf(node: SyntaxNode): string | undefined {
  let text: unknown;
  if (node.type === "Literal") text = node.value;
  else if (node.type === "TemplateLiteral") {
    text = (node.quasis as readonly { readonly value: { readonly cooked: string } }[]).map(({ value }) => value.cooked).join("`x`");
  }
  if (typeof text !== "string" || /^\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|WITH|ALTER|#!|set -e)\b/.test(text)) return undefined;
  const words = text.trim().split(/\s+/);
  const plain = words.filter((word) => /^[("'`]*[A-Za-z][a-z]*(?:['’-][a-z]+)*[)"'`.,:;?!]*$/.test(word));
  return words.length >= 4 && plain.length >= words.length * 0.6 && !/[{};]\s*$|&&|\$\(|=>/.test(text) ? text : undefined;
}

/** Whether an identifier is where a name is introduced: a declaration, a parameter, a member, a destructured binding. */
function isDeclared(node: SyntaxNode, parent: SyntaxNode | undefined, key: string): boolean {
  if (node.type !== "Identifier" && node.type !== "PrivateIdentifier") return false;
  if (parent === undefined) return false;
  if (key === "id" || key === "params" || key === "elements") return true;
  if (key === "key") return /Signature$|Definition$/.test(parent.type) || (parent.type === "Property" && parent.value !== node);
  if (key === "value") return parent.type === "Property" && parent.shorthand === false;
  return key === "left" && parent.type === "AssignmentPattern";
}

function visit(
  value: unknown,
  parent: SyntaxNode | undefined,
  key: string,
  see: (node: SyntaxNode, parent: SyntaxNode | undefined, key: string) => void,
): void {
  if (Array.isArray(value)) for (const item of value) visit(item, parent, key, see);
  else if (isNode(value)) {
    see(value, parent, key);
    for (const [name, member] of Object.entries(value)) visit(member, value, name, see);
  }
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** Paragraphs, list items, table cells and the comments of code blocks. Headings and the first rows of tables are not sentences and are skipped. */
export function readMarkdown(file: string, source: string): readonly Text[] {
  const texts: Text[] = [];
  let block: string[] = [];
  let first = 0;
  let fence: string | undefined;
  const flush = () => {
    const text = block.join("\n");
    if (/[A-Za-z]/.test(text)) texts.push({ kind: "docs", file, line: first, text: withoutCode(text) });
    block = [];
  };
  const add = (line: string, number: number) => {
    if (block.length === 0) first = number;
    block.push(line);
  };
  const lines = source.split("\n");
  const rule = /^\|[|\s:-]+$/;
  lines.forEach((raw, index) => {
    const number = index + 1;
    const line = raw.replace(/^\s*(?:>\s?)*/, "");
    const marker = /^(?:```+|~~~+)/.exec(line)?.[0];
    if (fence !== undefined) {
      if (marker?.startsWith(fence) === true) fence = undefined;
      const comment = /(?:^|\s)# (.*)/.exec(line)?.[1];
      if (comment !== undefined && fence !== undefined) add(comment, number);
      else flush();
    } else if (marker !== undefined) {
      flush();
      fence = marker;
    } else if (line.startsWith("|")) {
      flush();
      if (!rule.test(line) && !rule.test(lines[index + 1] ?? "")) {
        for (const cell of line.split(/(?<!\\)\|/)) {
          add(cell.trim(), number);
          flush();
        }
      }
    } else if (/^(?:#+ |<!--|\s*$)/.test(line)) {
      flush();
    } else {
      const item = /^(?:[-*+]|\d+\.)\s+/.exec(line)?.[0];
      if (item !== undefined) flush();
      add(line.slice(item?.length ?? 0), number);
    }
  });
  flush();
  return texts;
}

/** Comments and `description` values, which are where YAML holds prose. Lines of comments that follow one another are one text. */
export function readYaml(file: string, source: string): readonly Text[] {
  const texts: Text[] = [];
  let last = -1;
  source.split("\n").forEach((line, index) => {
    const comment = /^\s*# ?(.*)$/.exec(line)?.[1];
    const value = /^\s*(?:- )?(?:description|task|deprecationMessage): +(?:"(.*)"|([^|>].*))$/.exec(line);
    const text = comment ?? value?.[1] ?? value?.[2];
    const before = texts.at(-1);
    if (text === undefined || !/[A-Za-z]/.test(text)) return;
    if (comment !== undefined && before !== undefined && last === index - 1) {
      texts[texts.length - 1] = { ...before, text: `${before.text}\n${withoutCode(comment)}` };
    } else {
      texts.push({ kind: "docs", file, line: index + 1, text: withoutCode(text) });
    }
    last = comment === undefined ? -1 : index;
  });
  return texts;
}

/** Code spans, links and tags of documentation comments have no words of ours. Line breaks are kept. */
function withoutCode(text: string): string {
  return text
    .replace(/```[\s\S]*?```/g, blank)
    .replace(/(`+)[^`]+?\1/g, blank)
    .replace(/\{@\w+ [^}]*\}/g, blank)
    .replace(/\]\([^)]*\)/g, "]")
    .replace(/https?:\/\/\S+/g, "`x`")
    .replace(/^\s*@(?:param|arg|property|template|typeParam)\s+(?:\{[^}]*\}\s*)?(?:\S+\s*)(?:[-–:]\s*)?/gm, "\n")
    .replace(/^\s*@\w+[ \t]*(?:\{[^}]*\}\s*)?/gm, "\n");
}

function blank(code: string): string {
  return `\`x${code.replace(/[^\n]/g, "")}\``;
}

function lineCounter(source: string): (offset: number) => number {
  const starts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
