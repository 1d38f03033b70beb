import { expect, test } from "vitest";
import { cellWidth, padded, printable, printableLines, fit as shortened } from "../../../src/text/printable.ts";
import { withoutRunnerCommands } from "../../../src/text/runner-text.ts";
import fc from "../../rig/property.ts";

test.each([
  ["\u001b[31mred\u001b[0m", "red"],
  ["\u001b]0;title\u0007after", "after"],
  ["\u001b]8;;https://x.test\u001b\\link\u001b]8;;\u001b\\", "link"],
  ["\u001b(Bx\u001bcy", "xy"],
  ["\u009b2Jz", "z"],
  ["bell\u0007 back\b null\0", "bell\\x07 back\\x08 null\\x00"],
  ["a\nb\tc\r\nd", "a b c d"],
  ["a\u202eb\u2066", "a\\u202eb\\u2066"],
  ["half \u001b[", "half "],
])("%j is printed as %j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("no control character is left, whatever the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(
        [...printable(text), ...printableLines(text).join("")].filter((character) => /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(character)),
      ).toEqual([]);
    }),
  );
});

test("lines end at line breaks, and an overwritten line shows what stood last", () => {
  expect(printableLines("10%\r50%\r100%\r\ndone\tok\n\nlast")).toEqual(["100%", "done  ok", "", "last"]);
});

test("a line of carriage returns takes linear time", () => {
  const returns = "\r".repeat(500_000);
  expect(printableLines(`a${returns}b${returns}\n${returns}`)).toEqual(["b", ""]);
});

test.each([
  ["  ::error::x", "  : :error::x"],
  ["a ::error::x", "a ::error::x"],
  ["a ##[add-mask]x", "a ## [add-mask]x"],
])("a runner does not obey %j", (text, shown) => {
  expect(withoutRunnerCommands(text)).toBe(shown);
});

test("wide characters take two columns, marks none", () => {
  expect(["abc", "日本", "🚀", "e\u0301"].map(cellWidth)).toEqual([3, 4, 2, 1]);
  expect([shortened("日本語", 5), shortened("abc", 3), shortened("abcd", 3), shortened("abc", 0), padded("日", 4)]).toEqual([
    "日本…",
    "abc",
    "ab…",
    "",
    "日  ",
  ]);
});
