/** Writes diagnostics as a SARIF 2.1.0 log (OASIS) for code scanning. Its one run lists all diagnostic codes as rules. */
import { type Diagnostic, type DiagnosticCode, diagnosticCodes } from "../core/diagnostic.ts";
import type { Origin } from "../core/document.ts";

const codes = Object.keys(diagnosticCodes) as DiagnosticCode[];

/** The log as plain JSON. `base`: the project's root relative to the repository's. */
export function sarifLog(diagnostics: readonly Diagnostic[], base?: string): object {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "wave", rules: codes.map((code) => ({ id: code, shortDescription: { text: diagnosticCodes[code] } })) } },
        columnKind: "utf16CodeUnits",
        results: diagnostics.map((diagnostic) => sarifResult(diagnostic, base)),
      },
    ],
  };
}

function sarifResult({ code, severity, message, origin, hint, fix, related = [] }: Diagnostic, base: string | undefined): object {
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: severity,
    message: { text: hint === undefined ? message : `${message}. ${hint}` },
    locations: [physical(origin, base)],
    ...(related.length === 0
      ? {}
      : { relatedLocations: related.map((other) => ({ ...physical(other.origin, base), message: { text: other.message } })) }),
    ...(fix === undefined ? {} : { fixes: [sarifFix(origin, fix, base)] }),
  };
}

function sarifFix(origin: Origin, text: string, base: string | undefined): object {
  return {
    description: { text: `write \`${text}\`` },
    artifactChanges: [
      {
        artifactLocation: artifactLocation(origin.file, base),
        replacements: [{ deletedRegion: region(origin), insertedContent: { text } }],
      },
    ],
  };
}

function physical(origin: Origin, base: string | undefined): { physicalLocation: object } {
  return { physicalLocation: { artifactLocation: artifactLocation(origin.file, base), region: region(origin) } };
}

/** A relative URI reference with percent-encoded segments. */
function artifactLocation(file: string, base: string | undefined): object {
  return { uri: repositoryPath(file, base).split("/").map(encodeURIComponent).join("/") };
}

/** A project path relative to the repository's root. `base`: the project's root relative to the repository's. */
export function repositoryPath(file: string, base: string | undefined): string {
  return base === undefined || base === "" || base === "." ? file : `${base.replace(/\/+$/, "")}/${file}`;
}

function region({ range: { start, end } }: Origin): object {
  return { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column };
}
