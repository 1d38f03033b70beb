/** Declared secrets in every usual encoding: complete, and in streams split at any offset. */
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { createRedactor } from "../../../src/redaction/redactor.ts";
import fc from "../../rig/property.ts";
import { type SecretEncoding, secretEncodings } from "../../rig/secret-encodings.ts";
import { seeded } from "../../rig/seeded.ts";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const random = seeded(7);
const words = (length: number) => Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join("");

/** Joined at run time, so that this repository contains no text that looks like a secret. */
const values: Readonly<Record<string, string>> = {
  "a random token": words(40),
  "a short token": words(9),
  "a token with dashes": `${words(8)}-${words(12)}_${words(20)}`,
  "a password of punctuation": `${words(3)}@ss/w+rd "ü'&<1>${words(2)}`,
  "a password with backslashes": `C:\\${words(5)}\\"${words(4)}\\n${words(4)}`,
  "a passphrase": Array.from({ length: 6 }, () => words(7)).join(" "),
  "base64 with padding": `${words(20)}+/${words(20)}==x`,
  "a private key": `-----BEGIN ${"PRIVATE"} KEY-----\n${Array.from({ length: 4 }, () => words(64)).join("\n")}\n-----END ${"PRIVATE"} KEY-----`,
};

/** A value with the same layout but other letters and digits, so that their encodings differ. */
function twin(value: string): string {
  return value
    .replace(/[a-z]/g, (found) => (found === "z" ? "a" : String.fromCharCode(found.charCodeAt(0) + 1)))
    .replace(/[A-Z]/g, (found) => (found === "Z" ? "A" : String.fromCharCode(found.charCodeAt(0) + 1)))
    .replace(/[0-9]/g, (found) => String((Number(found) + 1) % 10));
}

/** The rest of the secret's encoding before and after the mark; undefined if it was not replaced in one piece. */
function leftOver(encoded: Buffer, other: Buffer, redacted: Buffer): { readonly before: string; readonly after: string } | undefined {
  const first = encoded.findIndex((byte, at) => byte !== other[at]);
  let behind = 0;
  while (encoded.at(-1 - behind) === other.at(-1 - behind)) behind++;
  const mark = /\*\*\*|\[url-password\]/.exec(redacted.toString("latin1"));
  if (mark === null) return undefined;
  const before = redacted.subarray(0, mark.index);
  const after = redacted.subarray(mark.index + mark[0].length);
  if (!before.equals(encoded.subarray(0, before.length)) || !after.equals(encoded.subarray(encoded.length - after.length)))
    return undefined;
  return { before: shown(before.subarray(first)), after: shown(after.subarray(0, Math.max(0, after.length - behind))) };
}

function shown(bytes: Buffer): string {
  return stripVTControlCharacters(bytes.toString("latin1")).replace(/\s/g, "");
}

const suits = ({ oneLine, name }: SecretEncoding, value: string) =>
  (oneLine !== true || !value.includes("\n")) && (name !== "Latin-1" || !/[^\0-\u00ff]/.test(value));

describe.each(Object.entries(values))("%s", (_, value) => {
  const redactor = createRedactor([value]);
  test.each(secretEncodings.filter((encoding) => suits(encoding, value)))("is found in: $name", ({ encode, edge = 0 }) => {
    for (let length = 0; length < 90; length++) {
      const around = (secret: string) => Buffer.from(encode(`${"head = ".repeat(13).slice(0, length)}${secret} tail`));
      const encoded = around(value);
      const redacted = inChunks(redactor, encoded, [1 << 20]);
      const left = leftOver(encoded, around(twin(value)), redacted);
      const seen = `after ${length} characters: ${encoded}\n→ ${redacted}`;
      expect(left, seen).toBeDefined();
      expect(Math.max(left?.before.length ?? 0, left?.after.length ?? 0), `${seen}\n${JSON.stringify(left)}`).toBeLessThanOrEqual(edge);
    }
  });
});

test("the result does not depend on the chunks, in any encoding", () => {
  const encodings = fc.constantFrom(...secretEncodings);
  const redactor = createRedactor(Object.values(values));
  const piece = fc.tuple(encodings, fc.constantFrom(...Object.values(values)), fc.nat(90));
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
      (pieces, sizes) => {
        const text = Buffer.concat(
          pieces.map(([{ encode }, value, length]) => Buffer.from(encode(`${"head = ".repeat(13).slice(0, length)}${value}\n`))),
        );
        expect(inChunks(redactor, text, sizes).toString("latin1")).toBe(inChunks(redactor, text, [text.length]).toString("latin1"));
      },
    ),
    { numRuns: 1000 },
  );
});

test("a value of any characters is found in any encoding that can represent it", () => {
  const character = fc.constantFrom(..."aZ09", ..."\"'`\\/&<>%=+ #$;:,.-_{}[]()!?@^|~*", "é", "ü", "\u{1f511}");
  const value = fc
    .string({ unit: character, minLength: 8, maxLength: 24 })
    .filter((text) => /[aZ09]{3}/.test(text) && text.trim() === text);
  const encodings = fc.constantFrom(...secretEncodings.filter(({ name }) => !/Latin-1|ascii|YAML, folded|word on two/.test(name)));
  fc.assert(
    fc.property(value, encodings, fc.nat(70), (secret, { encode }, length) => {
      const text = Buffer.from(encode(`${"head = ".repeat(10).slice(0, length)}${secret} tail`));
      const redacted = inChunks(createRedactor([secret]), text, [7, 31, 2]).toString("latin1");
      expect(redacted, text.toString()).toMatch(/\*\*\*|\[url-password\]/);
    }),
    { numRuns: 3000 },
  );
});

describe("the cost of hostile text", () => {
  const size = 200_000;
  const secret = Object.values(values)[3] ?? "";
  const [first = ""] = secret;
  test.each([
    ["backslashes", "\\"],
    ["percent signs that are encoded again", "%25"],
    ["ampersands that are encoded again", "&amp;"],
    ["a beginning and colours", `${first}\u001b[0m`],
    ["a beginning and sequences that never end", `${first}\u001b[0`],
    ["a beginning and breaks of quoted-printable", `${first}=\n`],
    ["a beginning and continued lines", `${first}\\\n`],
    ["beginnings in escapes", `\\u00${first.charCodeAt(0).toString(16)}`],
    ["all but the end, in colours", `${[...secret.slice(0, -1)].join("\u001b[1m")} `],
    ["all but the end, escaped", `${[...secret.slice(0, -1)].map((character) => `&#${character.codePointAt(0)};`).join("")} `],
    ["blanks", " "],
    ["line breaks", "\n"],
  ])("%s: bytes are held back briefly and read a bounded number of times", (_, unit) => {
    const text = Buffer.from(unit.repeat(Math.ceil(size / unit.length)));
    const stream = createRedactor([secret]).stream();
    let held = 0;
    let out = 0;
    for (let from = 0; from < text.length; from += 1000) {
      out += stream.push(text.subarray(from, from + 1000)).length;
      held = Math.max(held, Math.min(from + 1000, text.length) - out);
    }
    expect(held).toBeLessThan(5000);
    const reads = (bytes: Buffer) => {
      let count = 0;
      const counted = new Proxy(bytes, {
        get(target, key) {
          count++;
          const member = Reflect.get(target, key);
          return typeof member === "function" ? member.bind(target) : member;
        },
      });
      createRedactor([secret]).finds(counted);
      return count;
    };
    const small = reads(text.subarray(0, 2000));
    expect(reads(text.subarray(0, 20_000))).toBeLessThan(small * 11);
    expect(small).toBeLessThan(2000 * 150);
  });
});

function inChunks(redactor: ReturnType<typeof createRedactor>, bytes: Buffer, sizes: readonly number[]): Buffer {
  const stream = redactor.stream();
  const out: Uint8Array[] = [];
  for (let from = 0, at = 0; from < bytes.length; at++) {
    const size = sizes[at % sizes.length] ?? 1;
    out.push(Buffer.from(stream.push(bytes.subarray(from, from + size))));
    from += size;
  }
  return Buffer.concat([...out, stream.flush()]);
}
