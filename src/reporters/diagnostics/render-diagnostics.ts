/**
 * Diagnostics for people (with code frames), for programs (JSON, SARIF) and for GitHub (annotations). Pure. Every text ends in a line
 * break, unless it is empty.
 */

import { type Diagnostic, hasErrors, sortDiagnostics } from "../../core/diagnostic.ts";
import type { Origin } from "../../core/document.ts";
import { jsonText } from "../../text/json-text.ts";
import { printable } from "../../text/printable.ts";
import { counted } from "../../text/quantity.ts";
import { withoutRunnerCommands } from "../../text/runner-text.ts";
import { workflowCommand } from "../../text/workflow-command.ts";
import { type Palette, paletteOf } from "../console/palette.ts";
import { repositoryPath, sarifLog } from "../sarif.ts";
import { codeFrame, defaultColumns } from "./code-frame.ts";

export type DiagnosticFormat = "text" | "json" | "github" | "sarif";

export interface DiagnosticOptions {
  readonly color: boolean;
  /** The terminal's width, for `text`. Defaults to 100 columns. */
  readonly columns?: number;
  /** The project's root relative to the repository's, if they differ. Annotations and SARIF name files relative to the repository. */
  readonly base?: string;
}

/** Returns a file's text; undefined if it is unknown or must not be shown. */
type FileText = (path: string) => string | undefined;

/** Renders diagnostics in reading order. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  fileText: FileText,
  format: DiagnosticFormat,
  options: DiagnosticOptions,
): string {
  const sorted = sortDiagnostics(diagnostics);
  switch (format) {
    case "text":
      return renderText(sorted, { fileText, paint: paletteOf(options.color), columns: options.columns ?? defaultColumns });
    case "json":
      return `${jsonText({ ok: !hasErrors(sorted), diagnostics: sorted }, 2)}\n`;
    case "github":
      return sorted.map((diagnostic) => `${annotation(diagnostic, options.base)}\n`).join("");
    case "sarif":
      return `${jsonText(sarifLog(sorted, options.base), 2)}\n`;
  }
}

interface TextStyle {
  readonly fileText: FileText;
  readonly paint: Palette;
  readonly columns: number;
}

function renderText(diagnostics: readonly Diagnostic[], style: TextStyle): string {
  const { paint } = style;
  if (diagnostics.length === 0) return "";
  const blocks = diagnostics.map((diagnostic) => renderOne(diagnostic, style).join("\n"));
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = diagnostics.length - errors;
  const counts = [
    ...(errors > 0 ? [paint.red(counted(errors, "error"))] : []),
    ...(warnings > 0 ? [paint.yellow(counted(warnings, "warning"))] : []),
  ];
  return `${[...blocks, counts.join(", ")].join("\n\n")}\n`;
}

function renderOne({ severity, code, message, origin, hint, fix, related = [] }: Diagnostic, style: TextStyle): string[] {
  const { paint } = style;
  const tint = severity === "error" ? paint.red : paint.yellow;
  return [
    `${tint(paint.bold(`${severity}[${code}]`))} ${printable(message)}`,
    ...locationLines(origin, 2, tint, style),
    ...(hint === undefined ? [] : [`  ${paint.cyan("hint:")} ${printable(hint)}`]),
    ...(fix === undefined ? [] : [`  ${paint.green("fix:")} write \`${printable(fix)}\``]),
    ...related.flatMap((other) => [
      `  ${paint.dim("see:")} ${printable(other.message)}`,
      ...locationLines(other.origin, 4, paint.cyan, style),
    ]),
  ];
}

/** `at FILE:LINE:COLUMN`, and the code frame, two columns further in. */
function locationLines({ file, range }: Origin, indent: number, tint: (text: string) => string, style: TextStyle): string[] {
  const { fileText, paint, columns } = style;
  const text = fileText(file);
  const margin = " ".repeat(indent);
  const frame = text === undefined ? [] : codeFrame(text, range, { paint, tint, columns: columns - indent - 2 });
  return [
    `${margin}${paint.dim("at")} ${printable(file)}:${range.start.line}:${range.start.column}`,
    ...frame.map((line) => `${margin}  ${line}`),
  ];
}

/** GitHub accepts columns only for a range on one line. */
function annotation({ severity, code, message, origin: { file, range }, hint }: Diagnostic, base: string | undefined): string {
  const { start, end } = range;
  const oneLine = start.line === end.line;
  const properties = {
    file: repositoryPath(file, base),
    line: start.line,
    ...(oneLine
      ? { col: start.column, endColumn: Math.max(end.column, start.column) }
      : { endLine: end.column === 1 ? Math.max(start.line, end.line - 1) : end.line }),
    title: `wave ${code}`,
  };
  const lines = hint === undefined ? [message] : [message, `hint: ${hint}`];
  return workflowCommand(severity, properties, lines.map((line) => withoutRunnerCommands(printable(line))).join("\n"));
}
