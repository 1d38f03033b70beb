import { describe, expect, test } from "vitest";
import { createRedactor } from "../../../src/redaction/redactor.ts";
import { charset, runShape, type TokenShape } from "../../../src/redaction/token-match.ts";
import fc from "../../rig/property.ts";

const key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7x\n8yQ2nV4mZpLw0rTt\n-----END KEY-----\n";
const token = "p@ss/w+rd \"ü'&<1>";
// Joined at run time, so that this repository contains no text that looks like a token.
const github = `gh${"p_"}${"a1B2c3".repeat(6)}`;
const aws = `AK${"IA"}${"Q7".repeat(8)}`;
const pem = `-----BEGIN ${"PRIVATE"} KEY-----\n${"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n".repeat(4)}-----END ${"PRIVATE"} KEY-----`;

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

  test("replaces a value with several lines, and each long line on its own", () => {
    const redactor = createRedactor([key]);
    expect([`<${key}>`, "only 8yQ2nV4mZpLw0rTt here", key.trim()].map(redactor.text)).toEqual(["<***>", "only *** here", "***"]);
  });

  test("replaces overlapping secrets completely", () => {
    expect(createRedactor(["abcdef", "defghi"]).text("xabcdefghix")).toBe("x***x");
  });

  test("keeps values of less than 4 characters, and text without a secret", () => {
    const text = "abc \ud800 é";
    expect(createRedactor(["abc", ""]).text(text)).toBe(text);
    expect(createRedactor(["secret"]).text(text)).toBe(text);
  });
});

describe("value", () => {
  test("redacts strings and keys, but not numbers and digests that match by chance", () => {
    const digest = `sha256:${"beef".repeat(16)}`;
    const long = "0123456789abcdef9f8e7d6c5b4a3928";
    expect(
      createRedactor(["beef", long]).value({ beef: [digest, "beef", 1234, null, { x: "roast beef" }], y: `sha256:${long}${long}` }),
    ).toEqual({
      "***": [digest, "***", 1234, null, { x: "roast ***" }],
      y: "sha256:******",
    });
  });

  test("replaces tokens of known shapes anywhere, and returns a value without a secret itself", () => {
    const redactor = createRedactor([]);
    const digest = `sha256:${"beef".repeat(16)}`;
    const honest = { a: [digest, 1, null, undefined, true], b: { c: "task-force", d: new Map() } };
    expect(redactor.value(honest)).toBe(honest);
    expect(redactor.value({ ...honest, [github]: [`x ${github}`] })).toEqual({ ...honest, "[github-token]": ["x [github-token]"] });
  });
});

describe("finds", () => {
  test("reports whether bytes contain a secret", () => {
    const redactor = createRedactor(["hunter22"]);
    const bytes = Buffer.from([0, 255, ...Buffer.from("hunter22"), 7]);
    expect([redactor.finds(bytes), redactor.finds(bytes.subarray(3)), createRedactor([]).finds(bytes)]).toEqual([true, false, false]);
    expect([redactor.finds(Buffer.from(`x ${github}`)), redactor.finds(Buffer.from("x [github-token] ***"))]).toEqual([true, false]);
  });

  test("reports the kind of a secret", () => {
    const redactor = createRedactor(["hunter22"]);
    const kinds = [`${github} hunter22`, `${aws} ${github}`, `${pem}`, "nothing"].map((text) => redactor.kindOf(Buffer.from(text)));
    expect(kinds).toEqual(["declared secret", "aws-access-key", "private-key", undefined]);
  });

  test.each([
    ["a token is added", github, "", "github-token"],
    ["the file that holds it is edited", `a\n${github}\n${pem} b`, `${pem} ${github}`, undefined],
    ["a second token is added", `${github} ${aws}`, github, "aws-access-key"],
    ["another token of the kind is added", `${github} ${github}9`, github, "github-token"],
    ["a declared value is added", "x hunter22", "hunter2", "declared secret"],
    ["a declared value was there", "x hunter22 y", "hunter22", undefined],
    ["a token was taken away", "x", github, undefined],
  ])("reports new secrets of an edit: %s", (_, after, before, kind) => {
    const redactor = createRedactor(["hunter22"]);
    expect(redactor.newKindOf(Buffer.from(after), Buffer.from(before))).toBe(kind);
    expect(redactor.findsNew(Buffer.from(after), Buffer.from(before))).toBe(kind !== undefined);
  });
});

describe("stream", () => {
  test("does not depend on the chunks, and holds back only a possible start", () => {
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

  test("equals a plain search and replace", () => {
    const text = fc.string({ unit: fc.constantFrom("x", "y", "s3cr3t-1", "another-secret", " ") });
    fc.assert(
      fc.property(text, (given) => {
        expect(createRedactor(["s3cr3t-1", "another-secret"]).text(given)).toBe(given.replaceAll(/s3cr3t-1|another-secret/g, "***"));
      }),
    );
  });

  test("allows a chunk to be reused after it was pushed", () => {
    const stream = createRedactor(["hunter22"]).stream();
    const chunk = Buffer.from("x hunt");
    const first = Buffer.from(stream.push(chunk)).toString();
    chunk.fill(0);
    expect([first, Buffer.from(stream.push(Buffer.from("er22 !"))).toString()]).toEqual(["x ", "*** !"]);
  });

  test("shows the held back bytes", () => {
    const stream = createRedactor(["hunter22"]).stream();
    const shown = [github.slice(0, 38), github.slice(38), ` hunter2`].map((text) => {
      const out = Buffer.from(stream.push(Buffer.from(text))).toString();
      return [out, Buffer.from(stream.peek()).toString()];
    });
    expect(shown).toEqual([
      ["", github.slice(0, 38)],
      ["", "[github-token]"],
      ["[github-token] ", "hunter2"],
    ]);
    expect(Buffer.from(stream.flush()).toString()).toBe("hunter2");
  });

  test("marks a declared token as declared, and overlapping matches by the first one", () => {
    expect(createRedactor([github]).text(`x ${github} y`)).toBe("x *** y");
    expect(createRedactor([`= ${github.slice(0, 12)}`]).text(`x = ${github} y`)).toBe("x *** y");
    expect(createRedactor([`${github.slice(-5)} and more`]).text(`x ${github} and more y`)).toBe("x [github-token] y");
  });

  test("does not depend on the chunks, for tokens", () => {
    const jwt = `${Buffer.from('{"alg":"HS256"}').toString("base64url")}.${"ab1".repeat(5)}.${"cd2".repeat(9)}`;
    const parts = [
      github,
      aws,
      jwt,
      pem,
      `${pem.slice(0, 80)}`,
      `${"://"}u:hunter22@h`,
      `a${"://"}`,
      "u:p@ss1@h",
      "sk-",
      "eyJ",
      "-----",
      ".",
      "\\n",
      "%0A",
    ];
    const others = ["\u001b[31m", " ", "\n", "x", "Q7", "hunter22", "a1B2", "9999".repeat(40)];
    const text = fc.array(fc.constantFrom(...parts, ...others), { maxLength: 12 }).map((pieces) => pieces.join(""));
    const redactor = createRedactor(["hunter22", "a1B2c3a1", "9999 ", "KEY-----\nMIIE"]);
    fc.assert(
      fc.property(text, fc.array(fc.nat(60), { minLength: 1 }), (given, sizes) => {
        expect(inChunks(redactor.stream(), given, sizes)).toBe(redactor.text(given));
      }),
      { numRuns: 3000 },
    );
  });

  test("does not depend on the chunks and holds back little, for all shapes", () => {
    const small = (kind: string, prefix: string, min: number, max: number, longer: boolean) =>
      runShape({ kind, prefixes: [prefix], charset: charset("abc"), min, max, longer, check: (body) => !body.startsWith("c") });
    const inside: TokenShape = {
      kind: "inside",
      prefixes: ["-ca"],
      match: (bytes, _, body, last) =>
        bytes.length < body + 3 && !last
          ? "more"
          : bytes.length < body + 3 || bytes[body] === 98
            ? "no"
            : { start: body + 1, end: body + 3 },
    };
    const shapes = [small("long", "abb", 1, 3, true), small("exact", "bca", 2, 2, false), small("wide", "cc-b", 2, 5, true), inside];
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "c", "-"), maxLength: 40 });
    const secrets = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c", "-"), minLength: 4, maxLength: 6 }), { maxLength: 2 });
    fc.assert(
      fc.property(secrets, letters, fc.array(fc.nat(5), { minLength: 1 }), (declared, given, sizes) => {
        const redactor = createRedactor(declared, { shapes });
        expect(inChunks(redactor.stream(), given, sizes)).toBe(redactor.text(given));
        expect(redactor.finds(Buffer.from(given))).toBe(redactor.text(given) !== given);
      }),
      { numRuns: 5000 },
    );
  });
});

function inChunks(stream: ReturnType<ReturnType<typeof createRedactor>["stream"]>, text: string, sizes: readonly number[]): string {
  const bytes = Buffer.from(text);
  const out: Uint8Array[] = [];
  for (let from = 0, at = 0; from < bytes.length; at++) {
    // The last size is never 0: a list of zeros would not end.
    const size = (sizes[at % sizes.length] ?? 0) + (at % sizes.length === sizes.length - 1 ? 1 : 0);
    const chunk = Buffer.from(bytes.subarray(from, from + size));
    out.push(Buffer.from(stream.push(chunk)));
    chunk.fill(0);
    stream.peek();
    from += size;
  }
  return Buffer.concat([...out, stream.flush()]).toString();
}
