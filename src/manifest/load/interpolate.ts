/**
 * Substitutes `${VAR}` in the values of a document, not in keys. As in Compose, unquoted values are typed after substitution, except under `env`, where
 * values are strings.
 */
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { DocumentNode, MapEntry, Origin, ScalarNode } from "../../core/document.ts";
import { coreScalar } from "./core-scalar.ts";
import { forbiddenVariable } from "./secret-names.ts";
import { type Lookup, substitute, type TemplateProblem } from "./substitute.ts";

export interface Variables {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Names that must not be substituted, in addition to the runner's. */
  readonly secrets: ReadonlySet<string>;
  /** Unquoted scalars. */
  readonly plain: ReadonlySet<ScalarNode>;
  /** A scalar without substitution. */
  readonly verbatim?: DocumentNode;
  /** The text of a file, to locate expressions in values. */
  readonly textOf: (file: string) => string | undefined;
}

interface Walk extends Variables {
  readonly lookup: Lookup;
  readonly diagnostics: Diagnostic[];
  /** Filled nodes. Aliases share nodes. */
  readonly done: Map<DocumentNode, DocumentNode>;
  /** Lines by file. */
  readonly lines: Map<string, readonly string[]>;
}

/** Substitutes all variables of a document. Expressions that cannot be substituted are reported and kept. */
export function interpolate(node: DocumentNode, variables: Variables): { node: DocumentNode; diagnostics: readonly Diagnostic[] } {
  const { env, secrets } = variables;
  const lookup: Lookup = (name) => {
    if (forbiddenVariable(name, secrets) !== undefined) return { kind: "forbidden" };
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    return value === undefined ? { kind: "unset" } : { kind: "set", value };
  };
  const walk: Walk = { ...variables, lookup, diagnostics: [], done: new Map(), lines: new Map() };
  return { node: fill(node, walk, false), diagnostics: walk.diagnostics };
}

function fill(node: DocumentNode, walk: Walk, asText: boolean): DocumentNode {
  if (node.kind === "scalar") return fillScalar(node, walk, asText);
  const known = walk.done.get(node);
  if (known !== undefined) return known;
  const filled = node.kind === "list" ? fillList(node, walk) : fillMap(node, walk, asText);
  walk.done.set(node, filled);
  return filled;
}

function fillList(node: DocumentNode & { kind: "list" }, walk: Walk): DocumentNode {
  const items = node.items.map((item) => fill(item, walk, false));
  return items.some((item, index) => item !== node.items[index]) ? { ...node, items } : node;
}

function fillMap(node: DocumentNode & { kind: "map" }, walk: Walk, asText: boolean): DocumentNode {
  let changed: Map<string, MapEntry> | undefined;
  for (const [key, entry] of node.entries) {
    const filled = fill(entry.node, walk, asText || key === "env");
    if (filled === entry.node) continue;
    changed ??= new Map(node.entries);
    changed.set(key, { ...entry, node: filled });
  }
  return changed === undefined ? node : { ...node, entries: changed };
}

function fillScalar(node: ScalarNode, walk: Walk, asText: boolean): ScalarNode {
  if (node === walk.verbatim || typeof node.value !== "string" || !node.value.includes("$")) return node;
  const { text, problems } = substitute(node.value, walk.lookup);
  let from = 0;
  for (const problem of problems) {
    const found = locate(node.origin, problem.expression, walk, from);
    from = found.next;
    walk.diagnostics.push({ severity: "error", origin: found.origin, ...wordingOf(problem, walk) });
  }
  if (text === node.value) return node;
  return { ...node, value: walk.plain.has(node) && !asText && problems.length === 0 ? coreScalar(text) : text };
}

/** The position of an expression, or of the whole value if the file spells it differently. */
function locate(origin: Origin, expression: string, walk: Walk, from: number): { origin: Origin; next: number } {
  const { start, end } = origin.range;
  const lines = linesOf(origin.file, walk).slice(start.line - 1, end.line);
  let passed = 0;
  for (const [index, line] of lines.entries()) {
    const first = index === 0 ? start.column - 1 : 0;
    const at = line.indexOf(expression, Math.max(first, from - passed));
    if (at !== -1) {
      const number = start.line + index;
      const range = { start: { line: number, column: at + 1 }, end: { line: number, column: at + expression.length + 1 } };
      return { origin: { file: origin.file, range }, next: passed + at + 1 };
    }
    passed += line.length + 1;
  }
  return { origin, next: from };
}

function linesOf(file: string, walk: Walk): readonly string[] {
  const known = walk.lines.get(file);
  if (known !== undefined) return known;
  const lines = walk.textOf(file)?.split("\n") ?? [];
  walk.lines.set(file, lines);
  return lines;
}

function wordingOf(problem: TemplateProblem, walk: Walk): Pick<Diagnostic, "code" | "message" | "hint"> {
  switch (problem.kind) {
    case "unset": {
      const hint = `set ${problem.name}, or add a default: \`\${${problem.name}:-…}\`; for a shell variable, write \`$${problem.name}\` without braces, or \`$\${\``;
      return { code: "W108", message: `\`${problem.name}\` is not set and has no default`, hint };
    }
    case "required": {
      const reason = problem.message === "" ? "it is required" : problem.message;
      return { code: "W108", message: `\`${problem.name}\` has no value: ${reason}`, hint: `set ${problem.name}` };
    }
    case "forbidden": {
      const reason = forbiddenVariable(problem.name, walk.secrets) ?? "is a secret";
      const step = walk.secrets.has(problem.name) ? "remove it" : `list \`${problem.name}\` in \`secrets\` instead`;
      const hint = `${step}: the child finds the value in its environment, and everything stored is scrubbed of it`;
      return { code: "W109", message: `\`${problem.name}\` ${reason} and must not be used in a manifest`, hint };
    }
    case "malformed":
      return {
        code: "W108",
        message: `\`${shortened(problem.expression)}\` is not a valid variable expression`,
        hint: "write `${NAME}` or `${NAME:-default}`; `$${` writes a literal `${`",
      };
  }
}

function shortened(expression: string): string {
  const line = expression.split("\n", 1)[0] ?? "";
  return line.length > 40 ? `${line.slice(0, 40)}…` : line;
}
