/**
 * Substitutes variables in a text by the rules of Compose: `${VAR}`, `${VAR:-default}`, `${VAR-default}`, `${VAR:?message}`, `${VAR?message}`,
 * `${VAR:+alternative}`, `${VAR+alternative}`, and `$${` for a literal `${`. Defaults, messages and alternatives may contain variables, and are evaluated
 * only if used. Pure.
 *
 * Unlike in Compose, variables need braces, because manifests contain shell commands with `$WAVE_OUTPUT_DIR` and `$$`.
 */

export type TemplateProblem =
  /** A variable without value and default. */
  | { readonly kind: "unset"; readonly expression: string; readonly name: string }
  /** `${VAR:?message}`. */
  | { readonly kind: "required"; readonly expression: string; readonly name: string; readonly message: string }
  /** A variable that must not be used in a manifest. */
  | { readonly kind: "forbidden"; readonly expression: string; readonly name: string }
  /** Invalid syntax. */
  | { readonly kind: "malformed"; readonly expression: string };

/** Looks up a variable. */
export type Lookup = (
  name: string,
) => { readonly kind: "set"; readonly value: string } | { readonly kind: "unset" } | { readonly kind: "forbidden" };

export interface TemplateOutcome {
  /** The text after substitution. Expressions with problems are kept. */
  readonly text: string;
  readonly problems: readonly TemplateProblem[];
}

/** Maximum nesting of defaults. */
const nestingLimit = 20;

const namePattern = /[A-Za-z_][A-Za-z0-9_]*/y;

export function substitute(text: string, lookup: Lookup): TemplateOutcome {
  const problems: TemplateProblem[] = [];
  return { text: fill(text, lookup, problems, 0), problems };
}

function fill(text: string, lookup: Lookup, problems: TemplateProblem[], depth: number): string {
  let out = "";
  let at = 0;
  for (let start = text.indexOf("${"); start !== -1; start = text.indexOf("${", at)) {
    const escaped = start > at && text[start - 1] === "$";
    const end = escaped ? start + 2 : (closingBrace(text, start + 1) ?? text.length);
    const expression = text.slice(start, end);
    out += text.slice(at, escaped ? start - 1 : start) + (escaped ? expression : evaluate(expression, lookup, problems, depth));
    at = end;
  }
  return out + text.slice(at);
}

/** The offset after the brace that closes the one at `open`. Undefined if there is none. Braces in defaults must be balanced. */
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
  /** Empty, or `-`, `?` or `+`, optionally after a colon. */
  readonly operator: string;
  readonly operand: string;
}

function partsOf(expression: string): Parts | undefined {
  if (closingBrace(expression, 1) !== expression.length) return undefined;
  const name = nameAt(expression, 2);
  if (name === undefined) return undefined;
  const rest = expression.slice(2 + name.length, -1);
  if (rest === "") return { name, operator: "", operand: "" };
  const operator = /^:?[-?+]/.exec(rest)?.[0];
  return operator === undefined ? undefined : { name, operator, operand: rest.slice(operator.length) };
}
