/** Patterns of schemas match as ECMA-262 specifies, in both engines. */
import { expect, test } from "vitest";
import { compilePattern } from "../../../../src/contracts/json-schema/schema-pattern.ts";
import fc from "../../../rig/property.ts";

/** The expected regular expression: in Unicode mode if the pattern is valid there. */
function reference(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return new RegExp(pattern);
  }
}

const pieces = [
  "a",
  "b",
  "[ab]",
  "[^a]",
  ".",
  "\\d",
  "\\W",
  "\\s",
  "\\b",
  "^",
  "$",
  "é",
  "😀",
  "\\u{61}",
  "\\ud83d",
  "\\p{L}",
  "\\-",
  "(?:a|b)",
  "(b)",
  "(?=a)",
  "(?<!b)",
  "[^😀]",
];
const pattern = fc
  .array(fc.tuple(fc.constantFrom(...pieces), fc.constantFrom("", "", "?", "*", "+", "{2}", "{1,3}", "*?")), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.map(([piece, quantifier]) => piece + quantifier).join(""));
const text = fc
  .array(fc.constantFrom("a", "b", "1", " ", "é", "😀", "\ud83d", "\ude00", "\n", "u", "p{L}", "-"), { maxLength: 40 })
  .map((parts) => parts.join(""));

test("a pattern matches the same texts as a native regular expression", () => {
  let compared = 0;
  fc.assert(
    fc.property(pattern, text, (source, subject) => {
      let expected: boolean;
      try {
        expected = reference(source).test(subject);
      } catch {
        return;
      }
      compared += 1;
      expect(compilePattern(source).test(subject)).toBe(expected);
    }),
    { numRuns: 5000 },
  );
  expect(compared).toBeGreaterThan(1000);
});

test.each([["^(a+)+$"], ["^(a|a)*$"], ["^(?:\\w+\\s?)*$"], ["(?:a+)+\\-$"]])(
  "%s takes milliseconds for a text on which it backtracks",
  (source) => {
    const subject = `${"a".repeat(50_000)}!`;
    expect(compilePattern(source).test(subject)).toBe(false);
    expect(compilePattern(source).test("a".repeat(50_000).concat("-"))).toBe(source.endsWith("-$"));
  },
);

test("a pattern that is invalid in both modes is a syntax error", () => {
  expect(() => compilePattern("(")).toThrow(SyntaxError);
});
