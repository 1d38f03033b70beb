import { describe, expect, test } from "vitest";
import type { Digest } from "../../../src/core/digest.ts";
import { err, ok } from "../../../src/core/result.ts";
import { inlineLimits, withInlineTexts } from "../../../src/prompt/inline-text.ts";
import { digest } from "../../rig/plan-fixtures.ts";

/** The texts of inputs with these bytes. Undefined contents cannot be read. */
async function texts(inputs: Readonly<Record<string, Uint8Array | string | undefined>>) {
  const asked: string[] = [];
  const held = new Map<Digest, Uint8Array | undefined>();
  const listed = Object.entries(inputs).map(([name, content]) => {
    const bytes = content === undefined ? undefined : Buffer.from(content);
    held.set(digest(name), bytes);
    return { name, digest: digest(name), size: bytes?.length ?? 9 };
  });
  const get = async (wanted: Digest) => {
    asked.push(wanted);
    const bytes = held.get(wanted);
    return bytes === undefined ? err({ reason: "blob-missing", digest: wanted } as never) : ok(bytes);
  };
  const inlined = await withInlineTexts({ get }, listed);
  expect(inlined.map(({ text: _, ...input }) => input)).toEqual(listed);
  return {
    texts: Object.fromEntries(inlined.flatMap(({ name, text }) => (text === undefined ? [] : [[name, text]]))),
    asked: asked.length,
  };
}

describe("the inputs of a prompt", () => {
  test("are included in full if they are short texts", async () => {
    expect(await texts({ one: '{"a": 1}\n', two: "Grüße\t🌊\r\n", three: "x".repeat(inlineLimits.one) })).toEqual({
      texts: { one: '{"a": 1}\n', two: "Grüße\t🌊\r\n", three: "x".repeat(inlineLimits.one) },
      asked: 3,
    });
  });

  test("are only listed if they are empty, long, binary or unreadable", async () => {
    const inputs = {
      empty: "",
      long: "x".repeat(inlineLimits.one + 1),
      binary: Uint8Array.from([0xff, 0xfe, 0x00]),
      terminal: "\u001b[2Jgone",
      c1: "a\u009bb",
      gone: undefined,
      last: "here",
    };
    expect(await texts(inputs)).toEqual({ texts: { last: "here" }, asked: 5 });
  });

  test("share the size limit in order, and one that does not fit is skipped", async () => {
    const big = "b".repeat(inlineLimits.one);
    const four = { a: big, b: big, c: big, d: big.slice(1) };
    expect(Object.keys((await texts({ ...four, e: "12", f: "1" })).texts)).toEqual(["a", "b", "c", "d", "f"]);
  });
});
