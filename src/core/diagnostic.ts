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
  W108: "A `${VAR}` has no value, or is not written as Compose would read it.",
  W109: "A `${VAR}` would put a secret or a runner's own variable into the manifest.",
  W110: "The file holds a YAML construct that manifests do not use (several documents, custom tags, non-string keys).",
  W111: "The file contains a token, a private key or the password of a URL in plain text.",
  W201: "A key is unknown here.",
  W202: "A value has the wrong type.",
  W203: "A required key is missing.",
  W204: "A value is not one of those allowed.",
  W205: "A value is outside its bounds or has the wrong form.",
  W206: "Keys that exclude each other stand together, or a key needs another one.",
  W301: "A persona is not known.",
  W302: "A step named in `dependencies` or `from` is not known.",
  W303: "A file that the manifest names does not exist or cannot be read.",
  W304: "A path leads out of the project.",
  W305: "No step makes the artifact that an input asks for.",
  W306: "The artifact is made, but by no step upstream of the one that asks for it.",
  W307: "Two upstream steps make the artifact, and neither depends on the other.",
  W308: "A `{{ name }}` in a task is not known.",
  W309: "A contract names an artifact that its step does not make, or cannot tell which one is meant.",
  W310: "A contract's definition is broken (its schema does not compile, or refers to something remote).",
  W311: "A pipeline is not known, or none is chosen among several.",
  W312: "A name stands twice where it must be unique.",
  W313: "An adapter has no settings that it needs.",
  W314: "A price is given to a model that nobody uses, and whose name is nearly that of one that is used.",
  W315: "Personas extend each other in a circle, or through too many others.",
  W401: "Steps depend on each other in a circle.",
  W402: "A step depends on itself.",
  W403: "A permission rule has no effect.",
  W404: "Nothing checks an agent's step: it has neither an artifact nor a contract.",
  W405: "A denied permission is not enforced by the step's adapter.",
  W406: "An overlay drops a deny rule of a step.",
} as const;

export type DiagnosticCode = keyof typeof diagnosticCodes;

export type Severity = "error" | "warning";

/** One problem, with its place, and where one can be guessed, what to do. */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  /** One sentence without a full stop: what is wrong, with the offending names in backquotes. */
  readonly message: string;
  readonly origin: Origin;
  /** What to do next, in one sentence; also carries a did-you-mean. */
  readonly hint?: string;
  /** A replacement for the text at `origin` that would mend it. */
  readonly fix?: string;
  /** Other places that belong to the problem. */
  readonly related?: readonly { readonly message: string; readonly origin: Origin }[];
}

/** Whether any of them forbids going on. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === "error");
}

/** In the order a reader meets them: by file, line, column, code. */
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
