/**
 * Parses YAML into a document with source positions, using the `yaml` package, and reports features that manifests do not support. Does not substitute
 * variables, but lists the plain scalars that contain a `$`.
 */
import type { ParsedNode } from "yaml";
import type { Diagnostic, DiagnosticCode } from "../../core/diagnostic.ts";
import type { DocumentNode, ScalarNode } from "../../core/document.ts";
import { lineIndex, pointIn } from "./source-text.ts";
import { yamlProblems } from "./yaml-problems.ts";
import { readSyntax } from "./yaml-syntax.ts";
import { buildTree } from "./yaml-tree.ts";

export interface ParsedDocument {
  /** Undefined if the text is not YAML, is empty, or exceeds a limit. */
  readonly node?: DocumentNode;
  /** Unquoted scalars that contain a `$`. They are typed again after substitution. */
  readonly plain: ReadonlySet<ScalarNode>;
  /** A text without substitution: the body of a Markdown file. */
  readonly verbatim?: DocumentNode;
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses one YAML 1.2 document with the core schema. Never throws because of the contents. */
export function parseYaml(file: string, text: string): ParsedDocument {
  const lines = lineIndex(text);
  const fault = (code: DiagnosticCode, message: string, offset = 0): Diagnostic => {
    const at = lines.positionAt(offset);
    return { code, severity: "error", message, origin: pointIn(file, at) };
  };
  if (text.trim() === "") return refused([fault("W102", `\`${file}\` is empty`)]);
  const syntax = readSyntax(text);
  if (syntax.kind === "too-deep") return refused([fault("W106", "collections are nested too deeply", syntax.offset)]);
  if (syntax.kind === "too-large") return refused([fault("W104", `\`${file}\` has more than ${syntax.limit} YAML tokens`)]);
  const { document } = syntax;
  const problems = yamlProblems(file, text, document.errors, lines.positionAt);
  if (problems.some((problem) => problem.code !== "W110")) return refused(problems);
  if (document.contents === null || isNothing(document.contents)) {
    return refused([...problems, fault("W102", `\`${file}\` contains only comments`)]);
  }
  const tree = buildTree(document.contents, { file, text, lines });
  const diagnostics = [...problems, ...tree.diagnostics];
  const broken = diagnostics.some(({ code }) => code === "W101" || code === "W106");
  return { ...(broken ? {} : { node: tree.node }), plain: tree.plain, diagnostics };
}

function isNothing(contents: ParsedNode): boolean {
  return contents.range[0] === contents.range[1] && contents.anchor === undefined && contents.tag === undefined;
}

function refused(diagnostics: readonly Diagnostic[]): ParsedDocument {
  return { plain: new Set(), diagnostics };
}
