/**
 * `${VAR}` in one text, by the rules of Compose's interpolation: `${VAR}`, `${VAR:-default}`, `${VAR-default}`,
 * `${VAR:?message}`, `${VAR?message}`, `${VAR:+alternative}`, `${VAR+alternative}`, and `$${` for `${` itself. Defaults,
 * messages and alternatives are templates again, and are read only when they are used. Pure; knows neither YAML nor places.
 *
 * Unlike Compose, only braces substitute: a manifest holds shell commands, whose `$WAVE_OUTPUT_DIR` and `$$` are the shell's.
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
  for (let start = text.indexOf("${"); start !== -1; start = text.indexOf("${", at)) {
    const escaped = start > at && text[start - 1] === "$";
    const end = escaped ? start + 2 : (closingBrace(text, start + 1) ?? text.length);
    const expression = text.slice(start, end);
    out += text.slice(at, escaped ? start - 1 : start) + (escaped ? expression : evaluate(expression, lookup, problems, depth));
    at = end;
  }
  return out + text.slice(at);
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
  if (closingBrace(expression, 1) !== expression.length) return undefined;
  const name = nameAt(expression, 2);
  if (name === undefined) return undefined;
  const rest = expression.slice(2 + name.length, -1);
  if (rest === "") return { name, operator: "", operand: "" };
  const operator = /^:?[-?+]/.exec(rest)?.[0];
  return operator === undefined ? undefined : { name, operator, operand: rest.slice(operator.length) };
}
