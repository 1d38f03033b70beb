import { describe, expect, test } from "vitest";
import { fsPath, hasEscapes, pathFromBytes, pathToBytes } from "../../../src/text/path-bytes.ts";
import fc from "../../rig/property.ts";

describe("file names as text", () => {
  test("any bytes survive the conversion to text and back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect([...pathToBytes(pathFromBytes(bytes))]).toEqual([...bytes]);
      }),
    );
  });

  test("any mixture of UTF-8 and other bytes survives the conversion, even through JSON", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary" }).map((text) => new Uint8Array(Buffer.from(text))),
      fc.uint8Array({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const bytes = Buffer.concat(pieces);
        const text: string = JSON.parse(Buffer.from(JSON.stringify(pathFromBytes(bytes))).toString());
        expect(Buffer.from(pathToBytes(text)).equals(bytes)).toBe(true);
      }),
    );
  });

  test("well-formed text is unchanged", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void expect(pathFromBytes(Buffer.from(text))).toBe(text)));
  });

  test.each([
    [[0xff], "\udcff"],
    [[0x61, 0xe9, 0x62], "a\udce9b"],
    [[0xc3, 0xa9], "é"],
    [[0xc0, 0x80], "\udcc0\udc80"],
    [[0xed, 0xb2, 0x80], "\udced\udcb2\udc80"],
    [[0xf0, 0x9f, 0x98, 0x80, 0x80], "😀\udc80"],
    [[0xf0, 0x9f, 0x98], "\udcf0\udc9f\udc98"],
    [[0xef, 0xbb, 0xbf, 0x61], "\ufeffa"],
  ])("bytes %j are text %j", (bytes, text) => {
    expect(pathFromBytes(Uint8Array.from(bytes))).toBe(text);
    expect([...pathToBytes(text)]).toEqual(bytes);
  });

  test("the file system gets bytes only for names that are not UTF-8", () => {
    expect(fsPath("/a", "")).toBe("/a");
    expect(fsPath("/a", "b/é")).toBe("/a/b/é");
    expect(fsPath("/a", "b\udcff")).toEqual(Buffer.from([0x2f, 0x61, 0x2f, 0x62, 0xff]));
    expect(hasEscapes("😀")).toBe(false);
  });
});
