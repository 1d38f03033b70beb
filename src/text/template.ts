/**
 * Parses and fills templates in tasks: `{{ name }}` is replaced by a value at run time, `{{{{` is a literal `{{`. Names consist of letters,
 * digits, `_`, `-` and dots; callers check that they exist. Double braces around any text without braces are a placeholder, so that a
 * misspelt name is reported and not sent to an agent.
 */

export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  /** A literal `{{`, written as `{{{{`. */
  | { readonly kind: "braces"; readonly text: string }
  /** `offset` counts UTF-16 units from the start of the template to the first brace; `text` is the placeholder as written. */
  | { readonly kind: "name"; readonly name: string; readonly offset: number; readonly text: string };

/** Splits a template into parts whose texts, joined, are the template. */
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

/** Fills a template. Placeholders in values are not replaced. A placeholder for which `lookup` returns undefined stays unchanged. */
export function fillTemplate(text: string, lookup: (name: string) => string | undefined): string {
  return parseTemplate(text)
    .map((part) => (part.kind === "name" ? (lookup(part.name) ?? part.text) : part.kind === "braces" ? "{{" : part.text))
    .join("");
}
