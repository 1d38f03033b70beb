import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedactor } from "../../../src/model/redact.ts";

const key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7x\n8yQ2nV4mZpLw0rTt\n-----END KEY-----\n";
const token = "p@ss/w+rd \"ü'&<1>";

describe("text", () => {
  test.each([
    ["as it is", token],
    ["base64", Buffer.from(token).toString("base64")],
    ["base64 at offset 1", Buffer.from(`x${token}`).toString("base64")],
    ["base64 at offset 2", Buffer.from(`xy${token}`).toString("base64")],
    ["base64url", Buffer.from(`:${token}`).toString("base64url")],
    ["hex", Buffer.from(token).toString("hex")],
    ["upper-case hex", Buffer.from(token).toString("hex").toUpperCase()],
    ["a URL component", encodeURIComponent(token)],
    ["a form", new URLSearchParams({ t: token }).toString()],
    ["JSON", JSON.stringify({ t: token })],
    ["JSON in JSON", JSON.stringify(JSON.stringify({ t: token }))],
    ["HTML", token.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")],
    ["shell quotes", token.replaceAll("'", "'\\''")],
  ])("a secret in %s is replaced", (_, text) => {
    const redacted = createRedactor([token]).text(`before ${text} after`);
    expect(redacted).toMatch(/^before .{0,10}\*\*\*.{0,10} after$/);
  });

  test("a value with lines is replaced as a whole, and each long line by itself", () => {
    const redactor = createRedactor([key]);
    expect([`<${key}>`, "only 8yQ2nV4mZpLw0rTt here", key.trim()].map(redactor.text)).toEqual(["<***>", "only *** here", "***"]);
  });

  test("overlapping secrets leave nothing of either", () => {
    expect(createRedactor(["abcdef", "defghi"]).text("xabcdefghix")).toBe("x***x");
  });

  test("values of less than 4 characters are left alone, as is text without a secret", () => {
    const text = "abc \ud800 é";
    expect(createRedactor(["abc", ""]).text(text)).toBe(text);
    expect(createRedactor(["secret"]).text(text)).toBe(text);
  });
});

describe("value", () => {
  test("strings and keys are scrubbed; numbers and digests by chance alike are not", () => {
    const digest = `sha256:${"beef".repeat(16)}`;
    const long = "0123456789abcdef9f8e7d6c5b4a3928";
    expect(
      createRedactor(["beef", long]).value({ beef: [digest, "beef", 1234, null, { x: "roast beef" }], y: `sha256:${long}${long}` }),
    ).toEqual({
      "***": [digest, "***", 1234, null, { x: "roast ***" }],
      y: "sha256:******",
    });
  });
});

describe("finds", () => {
  test("says whether bytes hold a secret", () => {
    const redactor = createRedactor(["hunter22"]);
    const bytes = Buffer.from([0, 255, ...Buffer.from("hunter22"), 7]);
    expect([redactor.finds(bytes), redactor.finds(bytes.subarray(3)), createRedactor([]).finds(bytes)]).toEqual([true, false, false]);
  });
});

describe("stream", () => {
  test("how output is cut into chunks changes nothing, and nothing but a possible beginning is held back", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 4, maxLength: 7 });
    const pieces = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c", "\n"), maxLength: 12 }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(letters, { minLength: 1, maxLength: 4 }), pieces, (secrets, chunks) => {
        const redactor = createRedactor(secrets);
        const whole = redactor.text(chunks.join(""));
        const stream = redactor.stream();
        const emitted = chunks.map((chunk) => Buffer.from(stream.push(Buffer.from(chunk))).toString());
        expect([...emitted, Buffer.from(stream.flush()).toString()].join("")).toBe(whole);
        for (const secret of secrets) expect(whole).not.toContain(secret);
      }),
      { numRuns: 2000 },
    );
  });

  test("agrees with a plain search and replace", () => {
    const text = fc.string({ unit: fc.constantFrom("x", "y", "s3cr3t-1", "another-secret", " ") });
    fc.assert(
      fc.property(text, (given) => {
        expect(createRedactor(["s3cr3t-1", "another-secret"]).text(given)).toBe(given.replaceAll(/s3cr3t-1|another-secret/g, "***"));
      }),
    );
  });

  test("a chunk may be used again once it was pushed", () => {
    const stream = createRedactor(["hunter22"]).stream();
    const chunk = Buffer.from("x hunt");
    const first = Buffer.from(stream.push(chunk)).toString();
    chunk.fill(0);
    expect([first, Buffer.from(stream.push(Buffer.from("er22 y"))).toString()]).toEqual(["x ", "*** y"]);
  });
});
