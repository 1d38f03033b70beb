/**
 * Located problems in a manifest. Codes are stable: `W1xx` syntax, `W2xx` schema, `W3xx` references, `W4xx` graph,
 * `W5xx` policy. The table is the one list of codes; `docs/diagnostics.md` is generated from it.
 */
import type { Origin } from "./document.ts";

export const diagnosticCodes = {
  W101: "The file is not valid YAML.",
  W102: "The file is empty.",
  W103: "The file is not text in UTF-8.",
  W104: "The file is larger than the limit.",
  W105: "A key appears twice in one map.",
  W106: "Aliases in the file expand past the limit.",
  W107: "The file cannot be read.",
  W108: "A `${VAR}` has no value, or is not valid Compose syntax.",
  W109: "A `${VAR}` would put a secret or a runner's own variable into the manifest.",
  W110: "The file contains a YAML construct that manifests do not support (several documents, custom tags, non-string keys).",
  W111: "The file contains a token, a private key or the password of a URL in plain text.",
  W201: "A key is unknown here.",
  W202: "A value has the wrong type.",
  W203: "A required key is missing.",
  W204: "A value is not one of the allowed values.",
  W205: "A value is outside its bounds or has the wrong form.",
  W206: "Mutually exclusive keys are set, or a key requires another key that is not set.",
  W301: "A persona is unknown.",
  W302: "A step named in `dependencies` or `from` is unknown.",
  W303: "A file that the manifest names does not exist or cannot be read.",
  W304: "A path is outside the project.",
  W305: "No step produces the artifact of an input.",
  W306: "A step produces the artifact of an input, but it is not upstream of the step with the input.",
  W307: "Two upstream steps produce the artifact of an input, and neither depends on the other.",
  W308: "A `{{ name }}` in a task is unknown.",
  W309: "A contract names an artifact that its step does not produce, or its artifact is ambiguous.",
  W310: "A contract's definition is invalid (its schema does not compile, or has a remote reference).",
  W311: "A pipeline is unknown, or the manifest has several and none is selected.",
  W312: "A name that must be unique is used twice.",
  W313: "An adapter lacks required settings.",
  W314: "A price is set for an unused model whose name is similar to that of a used model.",
  W315: "Personas extend each other in a cycle, or through too many others.",
  W401: "Steps depend on each other in a cycle.",
  W402: "A step depends on itself.",
  W403: "A permission rule has no effect.",
  W404: "An agent's step is not checked: it has neither an artifact nor a contract.",
  W405: "A denied permission is not enforced by the step's adapter.",
  W406: "An overlay drops a deny rule of a step.",
} as const;

export type DiagnosticCode = keyof typeof diagnosticCodes;

export type Severity = "error" | "warning";

/** One problem, with its place. */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  /** One sentence without a full stop: what is wrong, with the offending names in backquotes. */
  readonly message: string;
  readonly origin: Origin;
  /** What to do next, in one sentence; may contain a suggestion. */
  readonly hint?: string;
  /** A replacement for the text at `origin` that fixes the problem. */
  readonly fix?: string;
  /** Other places that belong to the problem. */
  readonly related?: readonly { readonly message: string; readonly origin: Origin }[];
}

/** Whether any diagnostic is an error. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === "error");
}

/** Sorts by file, line, column and code. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) =>
      compare(a.origin.file, b.origin.file) ||
      a.origin.range.start.line - b.origin.range.start.line ||
      a.origin.range.start.column - b.origin.range.start.column ||
      compare(a.code, b.code) ||
      compare(a.message, b.message),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
