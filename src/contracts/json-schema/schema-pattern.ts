/**
 * Regular expressions of schemas, with ECMA-262 semantics (JSON Schema 2020-12, section 6.4). V8 can take exponential time; after
 * a number of backtracks, it switches to an engine that is linear in the text. That engine does not support look-around,
 * back-references or Unicode mode.
 */
import { setFlagsFromString } from "node:v8";

/** The part of `RegExp` that the schema evaluator uses. */
export interface Pattern {
  test(text: string): boolean;
  /** Must differ for different patterns: the evaluator uses it as a cache key. */
  toString(): string;
}

/** Constructs with another meaning without Unicode mode: surrogates, code point escapes, property classes. */
const needsUnicodeMode = /[\ud800-\udfff]|\\u(?:\{|d[89a-f])|\\[pP]|\(\?[a-z-]*[:)]/i;
const surrogate = /[\ud800-\udfff]/;

/** Texts up to this length do not need the linear engine: backtracking takes at most milliseconds. */
const shortText = 20;

let hasFallback = false;

/**
 * Compiles a pattern in Unicode mode or, if it is invalid there, without it, for older patterns with escapes that Unicode mode
 * forbids. Throws a `SyntaxError` if both fail.
 */
export function compilePattern(pattern: string): Pattern {
  const exact = compileExact(pattern);
  // Without surrogates, both modes match the same texts, and only the mode without Unicode has the linear fallback.
  const isPlain = !exact.unicode || !needsUnicodeMode.test(pattern.replaceAll("(?:", "("));
  let linear: RegExp | undefined;
  return {
    test(text) {
      if (!isPlain || text.length <= shortText || (exact.unicode && surrogate.test(text))) return exact.test(text);
      linear ??= compileLinear(pattern);
      return linear.test(text);
    },
    toString: () => String(exact),
  };
}

function compileExact(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return new RegExp(pattern);
  }
}

/**
 * Compiles a pattern with the linear fallback, which is a flag of the process. The flag must stay on: patterns compiled with it
 * match wrongly without it. It invalidates V8's code cache of Node's modules, so it is set as late as possible.
 */
function compileLinear(pattern: string): RegExp {
  if (!hasFallback) setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");
  hasFallback = true;
  // A group makes the pattern different: V8 shares compiled code between equal patterns.
  return new RegExp(`(?:${pattern})`);
}
