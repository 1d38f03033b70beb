/**
 * Templates in tasks: `{{ name }}` stands for a value that is known at run time, `{{{{` for a literal `{{`. Names are letters, digits, `_`, `-` and
 * dots; which of them exist is not decided here. Braces around anything without an inner brace are a placeholder, so that a
 * misspelt one is found instead of being sent to an agent as it stands.
 */

export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  /** A literal `{{`, written as `{{{{`. */
  | { readonly kind: "braces"; readonly text: string }
  /** `offset` counts UTF-16 units from the start of the template to the first brace; `text` is the placeholder as written. */
  | { readonly kind: "name"; readonly name: string; readonly offset: number; readonly text: string };

/** Splits a template. Its parts' texts, put together, are the template again. */
export function parseTemplate(text: string): TemplatePart[] {
  if (!text.includes("{{")) return text === "" ? [] : [{ kind: "text", text }];
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const found of text.matchAll(/\{\{\{\{|\{\{([^{}]*)\}\}/g)) {
    if (found.index > end) parts.push({ kind: "text", text: text.slice(end, found.index) });
    if (found[0] === "{{{{") parts.push({ kind: "braces", text: found[0] });
    else parts.push({ kind: "name", name: (found[1] ?? "").trim(), offset: found.index, text: found[0] });
    end = found.index + found[0].length;
  }
  if (end < text.length) parts.push({ kind: "text", text: text.slice(end) });
  return parts;
}

/** Fills a template. Values are not templates themselves; a placeholder that `lookup` does not know stays as it is written. */
export function fillTemplate(text: string, lookup: (name: string) => string | undefined): string {
  return parseTemplate(text)
    .map((part) => (part.kind === "name" ? (lookup(part.name) ?? part.text) : part.kind === "braces" ? "{{" : part.text))
    .join("");
}
