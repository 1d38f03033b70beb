/**
 * Diagnostics for people (with the lines they stand on), for programs (JSON, SARIF) and for GitHub (annotations). Pure:
 * texts in, text out, ending in a line break unless it is empty.
 */
import { type Diagnostic, hasErrors, sortDiagnostics } from "../../core/diagnostic.ts";
import type { Origin } from "../../core/document.ts";
import { jsonText } from "../../text/json-text.ts";
import { printable } from "../../text/printable.ts";
import { withoutRunnerCommands } from "../../text/runner-text.ts";
import { workflowCommand } from "../../text/workflow-command.ts";
import { type Palette, paletteOf } from "../console/palette.ts";
import { repositoryPath, sarifLog } from "../sarif.ts";
import { codeFrame } from "./code-frame.ts";

export type DiagnosticFormat = "text" | "json" | "github" | "sarif";

export interface DiagnosticOptions {
  readonly color: boolean;
  /** The project's root seen from the repository's, where they differ: annotations and SARIF name files from there. */
  readonly base?: string;
}

/** Diagnostics in reading order. `fileText` gives a file's text where it is known. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  fileText: (path: string) => string | undefined,
  format: DiagnosticFormat,
  options: DiagnosticOptions,
): string {
  const sorted = sortDiagnostics(diagnostics);
  switch (format) {
    case "text":
      return renderText(sorted, fileText, paletteOf(options.color));
    case "json":
      return `${jsonText({ ok: !hasErrors(sorted), diagnostics: sorted }, 2)}\n`;
    case "github":
      return sorted.map((diagnostic) => `${annotation(diagnostic, options.base)}\n`).join("");
    case "sarif":
      return `${jsonText(sarifLog(sorted, options.base), 2)}\n`;
  }
}

function renderText(diagnostics: readonly Diagnostic[], fileText: (path: string) => string | undefined, paint: Palette): string {
  if (diagnostics.length === 0) return "";
  const blocks = diagnostics.map((diagnostic) => renderOne(diagnostic, fileText, paint).join("\n"));
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = diagnostics.length - errors;
  const counts = [
    ...(errors > 0 ? [paint.red(count(errors, "error"))] : []),
    ...(warnings > 0 ? [paint.yellow(count(warnings, "warning"))] : []),
  ];
  return `${[...blocks, counts.join(", ")].join("\n\n")}\n`;
}

function renderOne(diagnostic: Diagnostic, fileText: (path: string) => string | undefined, paint: Palette): string[] {
  const { severity, code, message, origin, hint, fix, related = [] } = diagnostic;
  const tint = severity === "error" ? paint.red : paint.yellow;
  return [
    `${tint(paint.bold(`${severity}[${code}]`))} ${printable(message)}`,
    ...placeLines(origin, fileText, paint, tint),
    ...(hint === undefined ? [] : [`  ${paint.cyan("hint:")} ${printable(hint)}`]),
    ...(fix === undefined ? [] : [`  ${paint.green("fix:")} write \`${printable(fix)}\``]),
    ...related.flatMap((other) => [
      `  ${paint.dim("see:")} ${printable(other.message)}`,
      ...placeLines(other.origin, fileText, paint, paint.cyan).map((line) => `  ${line}`),
    ]),
  ];
}

function placeLines(
  origin: Origin,
  fileText: (path: string) => string | undefined,
  paint: Palette,
  tint: (text: string) => string,
): string[] {
  const { file, range } = origin;
  const text = fileText(file);
  const frame = text === undefined ? [] : codeFrame(text, range, paint, tint);
  return [`  ${paint.dim("at")} ${printable(file)}:${range.start.line}:${range.start.column}`, ...frame.map((line) => `    ${line}`)];
}

/** GitHub places columns only where a stretch begins and ends on one line. */
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

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
