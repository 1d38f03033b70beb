/** Renders a failure that ended a job before its run started, for check run, comment and summary. Pure. */

import { type Diagnostic, sortDiagnostics } from "../../core/diagnostic.ts";
import type { Failure } from "../../core/failure.ts";
import { describeFailure } from "../../core/failures.ts";
import type { CheckAnnotation, CheckConclusion } from "../../core/github.ts";
import { codeBlock, inlineCode, type Part, plainText, withoutMarks } from "../../text/markdown.ts";
import { printable } from "../../text/printable.ts";
import { counted } from "../../text/quantity.ts";
import type { PagePlaces } from "./contract-page.ts";

export interface FailurePage {
  readonly conclusion: CheckConclusion;
  /** Plain text of at most 250 characters. */
  readonly title: string;
  readonly parts: readonly (string | Part)[];
  /** On lines of the manifest. Empty for a failure without diagnostics. */
  readonly annotations: readonly CheckAnnotation[];
}

/** Without `places`, nothing is annotated: the manifest's lines are not those of the check's commit. */
export function failurePage(failure: Failure, places?: PagePlaces): FailurePage {
  const { title, detail, hint } = describeFailure(failure);
  const conclusion = failure.reason === "cancelled" ? "cancelled" : "failure";
  const head = [plainText("No step was executed: the job ended before a run started.")];
  if (failure.reason !== "manifest-invalid") {
    const lines = detail.length === 0 ? [] : [codeBlock(detail.join("\n"))];
    const parts = [...head, plainText(title), ...lines, ...(hint === undefined ? [] : [plainText(hint)])];
    return { conclusion, title: fit(title), parts, annotations: [] };
  }
  const diagnostics = sortDiagnostics(failure.diagnostics);
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const problems: Part = { lines: diagnostics.map(lineOf), rest: (count) => `… and ${count} more.` };
  return {
    conclusion,
    title: fit(`the manifest is not valid: ${counted(errors, "error")}`),
    parts: [...head, problems],
    annotations: places === undefined ? [] : diagnostics.flatMap((diagnostic) => annotationOf(diagnostic, places)),
  };
}

/** The page for a job that a bug in Wave or an error of the machine ended. */
export function brokenPage(kind: "bug" | "trouble", detail: string): FailurePage {
  const isBug = kind === "bug";
  const report = "This is a bug in Wave. Please report it with the job's log, which contains the stack trace.";
  return {
    conclusion: "failure",
    title: isBug ? "a bug in Wave ended the job" : "an error of the machine ended the job",
    parts: [codeBlock(detail), isBug ? plainText(report) : plainText("See the job's log for the run's progress.")],
    annotations: [],
  };
}

function lineOf({ code, severity, message, origin: { file, range }, hint }: Diagnostic): string {
  const location = inlineCode(`${file}:${range.start.line}:${range.start.column}`);
  return `- ${severity} ${code} ${location} ${plainText(message)}${hint === undefined ? "" : ` (${plainText(hint)})`}`;
}

/** Files outside the repository, such as built-in personas, cannot be annotated. */
function annotationOf({ code, severity, message, origin, hint }: Diagnostic, { prefix, isFile }: PagePlaces): CheckAnnotation[] {
  const { file, range } = origin;
  if (!isFile(file)) return [];
  const line = range.start.line;
  const text = hint === undefined ? message : `${message}\nhint: ${hint}`;
  const annotation = {
    path: `${prefix}${file}`,
    startLine: line,
    endLine: line,
    title: `wave ${code}`,
    level: severity === "error" ? ("failure" as const) : ("warning" as const),
    message: withoutMarks(text.split("\n").map(printable).join("\n")).slice(0, 4000),
  };
  return [annotation];
}

function fit(title: string): string {
  return printable(title).slice(0, 250);
}
