/**
 * Patterns of schemas, with ECMA-262 semantics (JSON Schema 2020-12, section 6.4). V8 may take exponential time for a pattern; from a number of
 * backtracks on it changes to an engine that is linear in the text. That engine knows no look-around, no back-references and no Unicode mode.
 */
import { setFlagsFromString } from "node:v8";

/** What a schema evaluator needs of a regular expression. */
export interface Pattern {
  test(text: string): boolean;
  /** Equal for equal patterns only: the evaluator shares compiled patterns by it. */
  toString(): string;
}

/** Surrogates as characters and as escapes, code point escapes, and property classes: constructs that mean something else without Unicode mode. */
const needsUnicodeMode = /[\ud800-\udfff]|\\u(?:\{|d[89a-f])|\\[pP]|\(\?[a-z-]*[:)]/i;
const surrogate = /[\ud800-\udfff]/;

/** Up to this length a text is matched without the linear engine: backtracking takes milliseconds at most. */
const shortText = 20;

let hasFallback = false;

/**
 * Patterns are Unicode patterns if they are valid as such; older ones, with escapes that Unicode mode forbids, still work. Throws a `SyntaxError` if a
 * pattern is neither.
 */
export function compilePattern(pattern: string): Pattern {
  const exact = compileExact(pattern);
  // Without surrogates in pattern and text both modes match the same, and only the one without Unicode can fall back.
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
 * The fallback is a flag of the process. It must stay on: a pattern that was compiled with it gives wrong answers without it. It invalidates V8's code
 * cache of Node's own modules, so it is set as late as possible.
 */
function compileLinear(pattern: string): RegExp {
  if (!hasFallback) setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");
  hasFallback = true;
  // In a group, since V8 shares compiled code between equal patterns, and the other has none of this engine.
  return new RegExp(`(?:${pattern})`);
}
