/** Parses a persona in Markdown: YAML frontmatter between `---` lines, and the system prompt as body. */
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { DocumentNode, MapEntry, MapNode, Origin } from "../../core/document.ts";
import { lineIndex, pointIn, startOfFile } from "./source-text.ts";
import { type ParsedDocument, parseYaml } from "./yaml-document.ts";

/** Parses a persona. Without frontmatter, the whole file is the prompt. Variables are not substituted in the body. An empty body sets no prompt. */
export function parseMarkdownPersona(file: string, text: string): ParsedDocument {
  const parts = split(text);
  const body = bodyEntry(file, text, parts.bodyStart);
  // Keep the opening line empty, so that positions match the file.
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
  return { code: "W101", severity: "error", message: "the frontmatter has no end", origin, hint: "add a line with `---` after it" };
}

function twoPrompts(twice: MapEntry, body: MapEntry): Diagnostic {
  return {
    code: "W206",
    severity: "error",
    message: "`system_prompt` is set in the frontmatter, but the file also has a body",
    origin: twice.keyOrigin,
    hint: "remove one of them",
    related: [{ message: "the body starts here", origin: body.node.origin }],
  };
}
