/** Text that GitHub's API and pages accept. */
import { expect, it } from "vitest";
import { markdownLine, markdownText } from "../../../src/text/markdown-text.ts";
import { hostileText } from "../../rig/hostile-text.ts";
import fc from "../../rig/property.ts";

it("shows control characters as pictures, and replaces lone surrogates and overrides", () => {
  expect(markdownText("a\0b\u001b[31mc\u007f\u009b\ud800\u202e\td\r\ne\rf")).toBe("a␀b␛[31mc␡\ufffd\ufffd\ufffd\td\ne\nf");
  expect(markdownLine("a\nb\tc\0")).toBe("a b c␀");
});

it("does not lengthen any text, and leaves no invalid character", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.constant(hostileText),
        fc.string({ unit: "binary" }).map((text) => text.slice(1)),
      ),
      (text) => {
        const shown = markdownText(text);
        expect(shown.length).toBeLessThanOrEqual(text.length);
        expect(shown).not.toMatch(/[^\P{Cc}\n\t]|\p{Cs}/u);
        expect(JSON.parse(JSON.stringify(shown))).toBe(shown);
      },
    ),
    { numRuns: 200 },
  );
});
