/** Collects diagnostics. Rules continue after a finding, so that one validation reports all problems. */
import type { Diagnostic, DiagnosticCode, Severity } from "../../core/diagnostic.ts";
import type { Origin } from "../../core/document.ts";
import { closest } from "../../text/suggest.ts";

/** The optional parts of a diagnostic. */
export type Advice = Pick<Diagnostic, "hint" | "fix" | "related">;

export interface Findings {
  error(code: DiagnosticCode, message: string, origin: Origin, advice?: Advice): void;
  warning(code: DiagnosticCode, message: string, origin: Origin, advice?: Advice): void;
  /** A similar candidate as hint and fix, otherwise the hint `otherwise`. */
  guess(word: string, candidates: readonly string[], otherwise?: string): Advice;
  /** In the order found, each problem once per position. Malformed names are not also reported as unknown. */
  readonly all: () => readonly Diagnostic[];
}

/** Maximum number of comparisons for all guesses. 10,000 misspelt names in 10,000 steps must not take seconds. */
const guessBudget = 300_000;

/** Creates an empty collection. */
export function collectFindings(): Findings {
  const found = new Map<string, Diagnostic>();
  let budget = guessBudget;
  const add = (severity: Severity, code: DiagnosticCode, message: string, origin: Origin, advice: Advice = {}) => {
    const { line, column } = origin.range.start;
    const key = `${code} ${origin.file}:${line}:${column} ${message}`;
    if (!found.has(key)) found.set(key, { code, severity, message, origin, ...advice });
  };
  return {
    error: (code, message, origin, advice) => add("error", code, message, origin, advice),
    warning: (code, message, origin, advice) => add("warning", code, message, origin, advice),
    guess(word, candidates, otherwise) {
      budget -= candidates.length;
      const guessed = budget < 0 ? undefined : closest(word, candidates);
      if (guessed !== undefined && guessed !== word) return { hint: `did you mean \`${guessed}\`?`, fix: guessed };
      return otherwise === undefined ? {} : { hint: otherwise };
    },
    all: () => withoutEchoes([...found.values()]),
  };
}

/** Drops reference problems (W3xx) at positions where the value is malformed (W205). */
function withoutEchoes(found: readonly Diagnostic[]): readonly Diagnostic[] {
  const place = ({ origin: { file, range } }: Diagnostic) => `${file}:${range.start.line}:${range.start.column}`;
  const malformed = new Set(found.filter(({ code }) => code === "W205").map(place));
  return malformed.size === 0
    ? found
    : found.filter((diagnostic) => !diagnostic.code.startsWith("W3") || !malformed.has(place(diagnostic)));
}

/** Formats a list as `a`, `b` and `c`, with `and N more` beyond the limit. */
export function quotedList(words: readonly string[], word: "and" | "or" = "and", limit = 8): string {
  const quoted = words.slice(0, limit).map((text) => `\`${text}\``);
  if (words.length > limit) return `${quoted.join(", ")} ${word} ${words.length - limit} more`;
  const last = quoted.pop() ?? "";
  return quoted.length === 0 ? last : `${quoted.join(", ")} ${word} ${last}`;
}
