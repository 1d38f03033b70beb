/** Undeclared tokens, by family, and ordinary text that is not a token. */
import { describe, expect, test } from "vitest";
import { createRedactor } from "../../../src/redaction/redactor.ts";
import { tokenShapes } from "../../../src/redaction/token-shapes.ts";
import { ordinaryText } from "../../rig/ordinary-text.ts";
import { seeded } from "../../rig/seeded.ts";
import { tokenFormats, tokenOf } from "../../rig/token-formats.ts";

const redactor = createRedactor([]);
const random = seeded(16);
const cases = tokenFormats.flatMap(({ family, kind, formats }) => formats.map((format) => [family, kind, format] as const));
/** In these formats, the secret is the text after the name. */
const isNamed = (format: string) => /^"?[A-Za-z_]+"?\s*[=:]/.test(format) && !format.startsWith("_gitlab");
const contexts = [
  ["token ", " is here"],
  ["TOKEN=", "\n"],
  ['{"t":"', '"}'],
  ["https://x.example/?t=", "&x=1"],
  ["https://x.example/", ""],
  ["'", "'"],
  ["\u001b[31m", "\u001b[0m"],
  ["said\\n", "\\n"],
] as const;

describe("tokens of each family", () => {
  test.each(cases)("of %s are shown as %s: %s", (_, kind, format) => {
    for (let round = 0; round < 20; round++) {
      const token = tokenOf(format, random);
      for (const [before, after] of isNamed(format) ? contexts.slice(0, 1) : contexts) {
        const redacted = redactor.text(`${before}${token}${after}`);
        expect(redacted, `${before}${token}${after}`).toContain(`[${kind}]`);
        expect(redacted).not.toContain(token.slice(-16));
        expect(redacted.startsWith(before) && redacted.endsWith(after), redacted).toBe(true);
      }
    }
  });

  test("every kind in the table has a format in this test", () => {
    const blocks = ["private-key", "url-password"];
    const kinds = new Set([...tokenFormats.map(({ kind }) => kind), ...blocks]);
    expect([...new Set(tokenShapes.map(({ kind }) => kind))].filter((kind) => !kinds.has(kind))).toEqual([]);
  });

  test("tokens are found in a stream split at any offset", () => {
    for (const [, , format] of cases) {
      const text = `a ${tokenOf(format, random)} b ${tokenOf(format, random)}\n`;
      const whole = redactor.text(text);
      for (let cut = 1; cut < text.length; cut += 1 + Math.floor(random() * 7)) {
        const stream = redactor.stream();
        const parts = [stream.push(Buffer.from(text.slice(0, cut))), stream.push(Buffer.from(text.slice(cut))), stream.flush()];
        expect(Buffer.concat(parts.map((part) => Buffer.from(part))).toString()).toBe(whole);
      }
    }
  });
});

test.each(Object.entries(ordinaryText(seeded(17), 300_000)))("ordinary text is not changed: %s", (_, text) => {
  expect(redactor.kindOf(Buffer.from(text))).toBeUndefined();
});

test("ordinary text is not changed with declared secrets", () => {
  const declared = createRedactor(Array.from({ length: 10 }, (_, at) => tokenOf(`{${8 + at * 4}:alnum}`, random)));
  for (const text of Object.values(ordinaryText(seeded(18), 300_000))) expect(declared.kindOf(Buffer.from(text))).toBeUndefined();
});
