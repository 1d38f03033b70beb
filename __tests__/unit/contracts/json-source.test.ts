import { describe, expect, test } from "vitest";
import { decodeUtf8, jsonPositions, parseJson } from "../../../src/contracts/json-source.ts";
import fc from "../../rig/property.ts";

describe("parseJson", () => {
  test.each([
    ["", "the text is empty", 1, 1],
    ["  \n", "the text is empty", 1, 1],
    ['{\n  "a": 1,\n}', "the text is not JSON: a key in double quotes is expected, found `}`", 3, 1],
    ['{"a": 1 "b": 2}', 'the text is not JSON: `,` is expected, found `"b"`', 1, 9],
    ["[1, 2", "the text is not JSON: `]` is expected at the end of the text", 1, 6],
    ["{a: 1}", "the text is not JSON: a value is unquoted or unknown, found `a`", 1, 2],
    ["// hi\n1", "the text is not JSON: comments are not JSON, found `// hi`", 1, 1],
    ["{} {}", "the text is not JSON: the text should end here, found `{`", 1, 4],
    ['"a\tb"', 'the text is not JSON: a string contains a control character, found `"a\tb"`', 1, 1],
  ])("%j", (text, message, line, column) => {
    expect(parseJson(text)).toEqual({ ok: false, error: { message, line, column } });
  });

  test("accepts the same texts as JSON.parse", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:01.-e/*tnul \n\\') }), (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        const parsed = parseJson(text);
        expect(parsed.ok).toBe(valid);
        if (!parsed.ok) expect(parsed.error.line).toBeGreaterThan(0);
      }),
    );
  });
});

describe("decodeUtf8", () => {
  test("rejects a byte order mark", () => {
    expect(decodeUtf8(Buffer.from("\ufeff1"))).toEqual({
      ok: false,
      error: { message: "the text starts with a byte order mark", line: 1, column: 1 },
    });
  });

  test("names the first invalid byte with its position", () => {
    const bytes = Buffer.concat([Buffer.from('["ä",\n "'), Buffer.from([0xc3, 0x28]), Buffer.from('"]')]);
    expect(decodeUtf8(bytes)).toEqual({
      ok: false,
      error: { message: "the text is not UTF-8: byte 0xc3 at offset 9", line: 2, column: 3 },
    });
  });

  test("rejects a text that ends inside a character", () => {
    expect(decodeUtf8(Buffer.from([0x61, 0xe2, 0x82])).ok).toBe(false);
  });
});

describe("jsonPositions", () => {
  const positions = jsonPositions('{\n  "a": [1, {"b/c": 2}],\n  "a": [3, {"b/c": 4}]\n}');

  test.each([
    [[], 1, 1],
    [["a"], 3, 8],
    [["a", "1", "b/c"], 3, 20],
    [["a", "1", "gone", "deeper"], 3, 12],
  ])("locates the value at %j, and the last one of duplicate keys", (path, line, column) => {
    expect(positions.valueAt(path)).toEqual({ line, column });
  });

  test("locates the key of a member, or the value if there is no key", () => {
    expect([positions.keyAt(["a"]), positions.keyAt(["a", "1", "b/c"]), positions.keyAt(["a", "0"]), positions.keyAt(["x"])]).toEqual([
      { line: 3, column: 3 },
      { line: 3, column: 13 },
      { line: 3, column: 9 },
      { line: 1, column: 1 },
    ]);
  });

  test("returns positions even for a text that is nested too deeply", () => {
    expect(jsonPositions("[".repeat(100_000) + "]".repeat(100_000)).valueAt(["0", "0"])).toEqual({ line: 1, column: 1 });
  });
});
