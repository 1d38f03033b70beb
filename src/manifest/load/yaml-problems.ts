/** Turns errors of the YAML parser into diagnostics. */
import type { YAMLError } from "yaml";
import type { Diagnostic, DiagnosticCode } from "../../core/diagnostic.ts";
import type { Position } from "../../core/document.ts";

/** Maximum number of syntax errors per file. Later ones are usually consequences. */
const syntaxErrorLimit = 20;

interface Wording {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: string;
}

/** Returns one diagnostic per line with errors, at most 20. `text` is the whole file. */
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
  if (tab) return { code: "W101", message: "this line is indented with a tab; YAML requires spaces", hint: "indent with spaces" };
  switch (error.code) {
    case "RESOURCE_EXHAUSTION":
      return { code: "W106", message: "collections are nested too deeply" };
    case "MULTIPLE_DOCS":
      return {
        code: "W110",
        message: "the file contains several YAML documents",
        hint: "use one document per file; add overlays with `-f` or `--env`",
      };
    case "TAG_RESOLVE_FAILED":
      return { code: "W110", message: lowerFirst(error.message), hint: "remove the tag" };
    case "BAD_INDENT":
      if (error.message.startsWith("Flow")) return { code: "W101", message: lowerFirst(error.message), hint: "close the bracket" };
      return { code: "W101", message: lowerFirst(error.message), hint: "align the keys of a map in one column" };
    case "MULTILINE_IMPLICIT_KEY":
    case "BLOCK_AS_IMPLICIT_KEY":
      return { code: "W101", message: lowerFirst(error.message), hint: "check the indentation, and quote text that contains `: `" };
    case "MISSING_CHAR":
      return { code: "W101", message: lowerFirst(error.message), hint: "check for a missing `:`, quote or bracket" };
    default:
      return { code: "W101", message: lowerFirst(error.message) };
  }
}

/** Whether the indentation of the line with the error contains a tab. */
function indentsWithTab(text: string, offset: number): boolean {
  const lineStart = text.lastIndexOf("\n", Math.max(offset - 1, 0)) + 1;
  return indentOf(text, lineStart).includes("\t");
}

/** Ends a range on its first line. Errors may extend to the end of the file. */
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
