/** A persona as a Markdown file: YAML frontmatter between `---` lines, and a body that is its system prompt. */
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { DocumentNode, MapEntry, MapNode, Origin } from "../../core/document.ts";
import { lineIndex, pointIn, startOfFile } from "./source-text.ts";
import { type ParsedDocument, parseYaml } from "./yaml-document.ts";

/**
 * Reads a persona from Markdown. Without frontmatter the whole file is the prompt. The body is text as it stands, like a
 * `prompt:` file: no variables are substituted in it. An empty body gives no `system_prompt`.
 */
export function parseMarkdownPersona(file: string, text: string): ParsedDocument {
  const parts = split(text);
  const body = bodyEntry(file, text, parts.bodyStart);
  // The opening fence stays as an empty line, so that lines and columns are those of the file.
  const front: ParsedDocument = parts.frontmatter.trim() === "" ? empty(file) : parseYaml(file, `\n${parts.frontmatter}`);
  if (parts.unclosed) return { ...empty(file), diagnostics: [unclosed(file)] };
  if (front.node?.kind !== "map" || body === undefined) return front;
  const twice = front.node.entries.get("system_prompt");
  const diagnostics = twice === undefined ? front.diagnostics : [...front.diagnostics, twoPrompts(twice, body)];
  const node: MapNode = { ...front.node, entries: new Map([...front.node.entries, ["system_prompt", body]]) };
  return { ...front, node, verbatim: body.node, diagnostics };
}

interface Parts {
  readonly frontmatter: string;
  /** Offset of the body. */
  readonly bodyStart: number;
  readonly unclosed: boolean;
}

function split(text: string): Parts {
  const opening = /^---[ \t]*\r?\n/.exec(text);
  if (opening === null) return { frontmatter: "", bodyStart: 0, unclosed: false };
  const closing = /^---[ \t]*(?:\r?\n|$)/gm;
  closing.lastIndex = opening[0].length;
  const found = closing.exec(text);
  if (found === null) return { frontmatter: "", bodyStart: text.length, unclosed: true };
  return { frontmatter: text.slice(opening[0].length, found.index), bodyStart: found.index + found[0].length, unclosed: false };
}

function bodyEntry(file: string, text: string, bodyStart: number): MapEntry | undefined {
  const body = text.slice(bodyStart);
  const value = body.trim();
  if (value === "") return undefined;
  const lines = lineIndex(text);
  const start = bodyStart + body.indexOf(value);
  const origin: Origin = { file, range: { start: lines.positionAt(start), end: lines.positionAt(start + value.length) } };
  const node: DocumentNode = { kind: "scalar", value, origin };
  return { key: "system_prompt", keyOrigin: pointIn(file, origin.range.start), node };
}

function empty(file: string): ParsedDocument {
  return { node: { kind: "map", entries: new Map(), origin: startOfFile(file) }, plain: new Set(), diagnostics: [] };
}

function unclosed(file: string): Diagnostic {
  const origin: Origin = { file, range: { start: { line: 1, column: 1 }, end: { line: 1, column: 4 } } };
  return { code: "W101", severity: "error", message: "the frontmatter is not closed", origin, hint: "end it with a line of `---`" };
}

function twoPrompts(twice: MapEntry, body: MapEntry): Diagnostic {
  return {
    code: "W206",
    severity: "error",
    message: "`system_prompt` stands in the frontmatter, and the file has a body as well",
    origin: twice.keyOrigin,
    hint: "keep one of them",
    related: [{ message: "the body starts here", origin: body.node.origin }],
  };
}
