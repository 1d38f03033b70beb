/**
 * `${VAR}` in one text, by the rules of Compose's interpolation: `$VAR`, `${VAR}`, `${VAR:-default}`, `${VAR-default}`,
 * `${VAR:?message}`, `${VAR?message}`, `${VAR:+alternative}`, `${VAR+alternative}`, and `$$` for a dollar sign. Defaults,
 * messages and alternatives are templates again, and are read only when they are used. Pure; knows neither YAML nor places.
 */

export type TemplateProblem =
  /** A variable without a value and without a default. */
  | { readonly kind: "unset"; readonly expression: string; readonly name: string }
  /** `${VAR:?message}`. */
  | { readonly kind: "required"; readonly expression: string; readonly name: string; readonly message: string }
  /** A variable that must not reach a manifest. */
  | { readonly kind: "forbidden"; readonly expression: string; readonly name: string }
  /** Not a template. */
  | { readonly kind: "malformed"; readonly expression: string };

/** Where variables come from: a text, `undefined` where unset, or `forbidden`. */
export type Lookup = (
  name: string,
) => { readonly kind: "set"; readonly value: string } | { readonly kind: "unset" } | { readonly kind: "forbidden" };

export interface TemplateOutcome {
  /** The text with everything substituted that could be; what is at fault stays as it was written. */
  readonly text: string;
  readonly problems: readonly TemplateProblem[];
}

/** How deep defaults may hold defaults; more is an attack, not a manifest. */
const nestingLimit = 20;

const namePattern = /[A-Za-z_][A-Za-z0-9_]*/y;

/** Substitutes every expression in a text. */
export function substitute(text: string, lookup: Lookup): TemplateOutcome {
  const problems: TemplateProblem[] = [];
  return { text: fill(text, lookup, problems, 0), problems };
}

function fill(text: string, lookup: Lookup, problems: TemplateProblem[], depth: number): string {
  let out = "";
  let at = 0;
  for (let dollar = text.indexOf("$"); dollar !== -1; dollar = text.indexOf("$", at)) {
    out += text.slice(at, dollar);
    const end = expressionEnd(text, dollar);
    const expression = text.slice(dollar, end);
    out += expression === "$$" ? "$" : evaluate(expression, lookup, problems, depth);
    at = end;
  }
  return out + text.slice(at);
}

/** The end of the expression that starts with the dollar sign at `start`. */
function expressionEnd(text: string, start: number): number {
  const next = text[start + 1];
  if (next === "$") return start + 2;
  if (next === "{") return closingBrace(text, start + 1) ?? text.length;
  return start + 1 + (nameAt(text, start + 1)?.length ?? Math.min(1, text.length - start - 1));
}

/** Just after the brace that closes the one at `open`; nothing where none does. Braces in defaults have to be balanced. */
function closingBrace(text: string, open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "{") depth++;
    else if (text[at] === "}" && --depth === 0) return at + 1;
  }
  return undefined;
}

function nameAt(text: string, at: number): string | undefined {
  namePattern.lastIndex = at;
  return namePattern.exec(text)?.[0];
}

function evaluate(expression: string, lookup: Lookup, problems: TemplateProblem[], depth: number): string {
  const parts = partsOf(expression);
  const fault = (problem: TemplateProblem) => {
    problems.push(problem);
    return expression;
  };
  if (parts === undefined || depth > nestingLimit) return fault({ kind: "malformed", expression });
  const { name, operator, operand } = parts;
  const found = lookup(name);
  if (found.kind === "forbidden") return fault({ kind: "forbidden", expression, name });
  const value = found.kind === "unset" || (operator.startsWith(":") && found.value === "") ? undefined : found.value;
  const filled = () => fill(operand, lookup, problems, depth + 1);
  switch (operator.at(-1)) {
    case "+":
      return value === undefined ? "" : filled();
    case "-":
      return value ?? filled();
    case "?":
      return value ?? fault({ kind: "required", expression, name, message: filled() });
    default:
      return value ?? fault({ kind: "unset", expression, name });
  }
}

interface Parts {
  readonly name: string;
  /** Empty, or one of `-`, `?`, `+`, with or without a colon before it. */
  readonly operator: string;
  readonly operand: string;
}

function partsOf(expression: string): Parts | undefined {
  if (!expression.startsWith("${")) {
    const name = nameAt(expression, 1);
    return name === undefined ? undefined : { name, operator: "", operand: "" };
  }
  if (closingBrace(expression, 1) !== expression.length) return undefined;
  const name = nameAt(expression, 2);
  if (name === undefined) return undefined;
  const rest = expression.slice(2 + name.length, -1);
  if (rest === "") return { name, operator: "", operand: "" };
  const operator = /^:?[-?+]/.exec(rest)?.[0];
  return operator === undefined ? undefined : { name, operator, operand: rest.slice(operator.length) };
}
