/**
 * YAML text to a document with ranges. The syntax is the `yaml` package's; this module decides what of it a manifest may
 * use. It does not substitute variables: it says which scalars are written plain and hold a `$`, so that a later stage can.
 */
import type { ParsedNode } from "yaml";
import type { Diagnostic, DiagnosticCode } from "../../core/diagnostic.ts";
import type { DocumentNode, ScalarNode } from "../../core/document.ts";
import { lineIndex, pointIn } from "./source-text.ts";
import { yamlProblems } from "./yaml-problems.ts";
import { readSyntax } from "./yaml-syntax.ts";
import { buildTree } from "./yaml-tree.ts";

export interface ParsedDocument {
  /** Nothing where the text is not YAML, empty, or expands past the limits. */
  readonly node?: DocumentNode;
  /** Scalars that stand unquoted and hold a `$`: what is substituted into them is typed again. */
  readonly plain: ReadonlySet<ScalarNode>;
  /** A text in which nothing is substituted: the body of a Markdown file. */
  readonly verbatim?: DocumentNode;
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses one YAML 1.2 document by the core schema. Never throws for what a file holds. */
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
    return refused([...problems, fault("W102", `\`${file}\` holds nothing but comments`)]);
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
