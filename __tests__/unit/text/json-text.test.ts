/** JSON that is safe to print and parses to the same value. */
import { expect, it } from "vitest";
import { jsonText } from "../../../src/text/json-text.ts";
import { commandsIn, controlsIn, hostileText } from "../../rig/hostile-text.ts";
import fc from "../../rig/property.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(fc.constantFrom("##[", "#", "[", "::error::", "\u202e", "\u009b", "\u007f", "\ud800", "\u{e0041}", "a"))
    .map((parts) => parts.join("")),
);

it("escapes control sequences and runner commands", () => {
  const printed = jsonText({ [hostileText]: hostileText }, 2);
  expect([controlsIn(printed), commandsIn(printed)]).toEqual([[], []]);
  expect(jsonText(["##[error]", "\u009b", "\u{e0041}"])).toBe('["\\u0023#[error]","\\u009b","\\udb40\\udc41"]');
});

it("parses to the original value", () => {
  fc.assert(
    fc.property(
      fc.dictionary(text, fc.oneof(text, fc.array(text)), { noNullPrototype: true }),
      fc.constantFrom(undefined, 2),
      (value, indent) => {
        const printed = jsonText(value, indent);
        expect(JSON.parse(printed)).toEqual(value);
        expect([controlsIn(printed), commandsIn(printed)]).toEqual([[], []]);
      },
    ),
    { numRuns: 200 },
  );
});
