import { expect, test } from "vitest";
import { messageContent } from "../../../src/blobs/final-message.ts";
import { mediaTypeOf, mediaTypeOfContent } from "../../../src/blobs/media-type.ts";
import fc from "../../rig/property.ts";

function content(message: string, mediaType?: string) {
  const { bytes, ...rest } = messageContent(message, {
    name: "a",
    optional: false,
    implied: false,
    ...(mediaType === undefined ? {} : { mediaType }),
  });
  return [Buffer.from(bytes).toString(), rest.mediaType];
}

test.each([
  ["a fence around all of it", '```json\n{"x":1}\n```', '{"x":1}', "application/json"],
  ["a longer fence", '````JSON\r\n{"x":"```"}\r\n````\n', '{"x":"```"}', "application/json"],
  ["tildes", "~~~json\n[]\n~~~", "[]", "application/json"],
  ["broken JSON stays broken", "```json\n{x:1,}\n```", "{x:1,}", "text/markdown"],
  ["two fences stay", "```json\n{}\n```\n```json\n{}\n```", "```json\n{}\n```\n```json\n{}\n```", "text/markdown"],
  ["a fence with text around it stays", "Here:\n```json\n{}\n```", "Here:\n```json\n{}\n```", "text/markdown"],
  ["a fence of another language stays", "```js\n{}\n```", "```js\n{}\n```", "text/markdown"],
  ["plain JSON", ' {"x":1}\n', ' {"x":1}\n', "application/json"],
  ["text", "# Review\n", "# Review\n", "text/markdown"],
])("converts a final message: %s", (_, message, text, mediaType) => {
  expect(content(message)).toEqual([text, mediaType]);
});

test("keeps the fence of an artifact with another media type", () => {
  expect(content("```json\n{}\n```", "text/markdown")).toEqual(["```json\n{}\n```", "text/markdown"]);
  expect(content("```json\n{}\n```", "application/sarif+json")).toEqual(["{}", "application/sarif+json"]);
});

test("keeps JSON unchanged to the byte, with or without a fence", () => {
  fc.assert(
    fc.property(fc.json(), fc.boolean(), (json, isFenced) => {
      const message = isFenced && !json.includes("```") ? `\`\`\`json\n${json}\n\`\`\`` : json;
      expect(content(message)[0]).toBe(json);
    }),
  );
});

test("detects media types from extensions and content", () => {
  expect(["a.json", "a.b.MD", "x/y.patch", "a", ".json", "a.constructor"].map(mediaTypeOf)).toEqual([
    "application/json",
    "text/markdown",
    "text/x-diff",
    undefined,
    "application/json",
    undefined,
  ]);
  expect(
    [Buffer.from("{}"), Buffer.from("{"), Buffer.from("é"), Buffer.from([0xff]), Buffer.from([65, 0])].map(mediaTypeOfContent),
  ).toEqual(["application/json", "text/plain", "text/plain", "application/octet-stream", "application/octet-stream"]);
});
