/** Walks over the syntax trees that `parseAst` returns. */

export interface SyntaxNode {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Visits a node and every node below it, in the order of the source. */
export function walk(value: unknown, visit: (node: SyntaxNode) => void): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit);
  else if (isNode(value)) {
    visit(value);
    for (const member of Object.values(value)) walk(member, visit);
  }
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}
