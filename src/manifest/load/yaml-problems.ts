/** What the YAML parser complains about, as diagnostics that a person can act on. */
import type { YAMLError } from "yaml";
import type { Diagnostic, DiagnosticCode } from "../../core/diagnostic.ts";
import type { Position } from "../../core/document.ts";

/** The most syntax errors of one file that are reported: past these, errors follow from errors. */
const syntaxErrorLimit = 20;

interface Wording {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: string;
}

/**
 * The errors of one file: one a line, at most 20. `text` is the whole file, for telling a tab that
 * indents from other mistakes; `positionAt` turns its offsets into positions.
 */
export function yamlProblems(
  file: string,
  text: string,
  errors: readonly YAMLError[],
  positionAt: (offset: number) => Position,
): Diagnostic[] {
  const seen = new Set<number>();
  const diagnostics: Diagnostic[] = [];
  for (const error of errors) {
    const start = positionAt(Math.min(error.pos[0], text.length));
    if (seen.has(start.line)) continue;
    seen.add(start.line);
    const end = positionAt(endOnLine(text, Math.min(error.pos[0], text.length), error.pos[1]));
    diagnostics.push({
      severity: "error",
      origin: { file, range: { start, end } },
      ...wordingOf(error, indentsWithTab(text, error.pos[0])),
    });
    if (diagnostics.length === syntaxErrorLimit) break;
  }
  return diagnostics;
}

function wordingOf(error: YAMLError, tab: boolean): Wording {
  if (tab) return { code: "W101", message: "a tab indents this line; YAML allows only spaces there", hint: "indent with spaces" };
  switch (error.code) {
    case "RESOURCE_EXHAUSTION":
      return { code: "W106", message: "collections are nested too deeply" };
    case "MULTIPLE_DOCS":
      return {
        code: "W110",
        message: "the file holds several YAML documents",
        hint: "keep one document a file; give overlays with `-f` or `--env`",
      };
    case "TAG_RESOLVE_FAILED":
      return { code: "W110", message: lowerFirst(error.message), hint: "leave the tag out" };
    case "BAD_INDENT":
      if (error.message.startsWith("Flow")) return { code: "W101", message: lowerFirst(error.message), hint: "close the bracket" };
      return { code: "W101", message: lowerFirst(error.message), hint: "line the keys of one map up in the same column" };
    case "MULTILINE_IMPLICIT_KEY":
    case "BLOCK_AS_IMPLICIT_KEY":
      return { code: "W101", message: lowerFirst(error.message), hint: "check the indentation, and that text with `: ` in it is quoted" };
    case "MISSING_CHAR":
      return { code: "W101", message: lowerFirst(error.message), hint: "check for a missing `:`, quote or bracket" };
    default:
      return { code: "W101", message: lowerFirst(error.message) };
  }
}

/** Whether the white space before an error, on its line, holds a tab and nothing else stands before it. */
function indentsWithTab(text: string, offset: number): boolean {
  const lineStart = text.lastIndexOf("\n", Math.max(offset - 1, 0)) + 1;
  return indentOf(text, lineStart).includes("\t");
}

/** Keeps a range on the line it starts on: an error's stretch may go to the end of the file. */
function endOnLine(text: string, start: number, end: number): number {
  const newline = text.indexOf("\n", start);
  return Math.max(start, Math.min(end, newline === -1 ? text.length : newline));
}

function indentOf(text: string, lineStart: number): string {
  let end = lineStart;
  while (text[end] === " " || text[end] === "\t") end++;
  return text.slice(lineStart, end);
}

function lowerFirst(message: string): string {
  const plain = message.replace(/\.$/, "");
  return plain.charAt(0).toLowerCase() + plain.slice(1);
}
