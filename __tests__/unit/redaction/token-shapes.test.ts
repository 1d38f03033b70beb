/**
 * Texts that count as tokens. They are generated at run time from random characters, so that this repository contains no text that
 * looks like a token.
 */
import { describe, expect, test } from "vitest";
import { createRedactor } from "../../../src/redaction/redactor.ts";

const redactor = createRedactor([]);
const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const urlSafe = `${alphanumeric}-_`;
const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const hex = "0123456789abcdef";

let seed = 7;
function random(length: number, characters = alphanumeric): string {
  return Array.from({ length }, () => {
    seed = (seed * 1_664_525 + 1_013_904_223) >>> 0;
    return characters[Math.floor((seed / 2 ** 32) * characters.length)];
  }).join("");
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const signed = (header: unknown) => `${json(header)}.${json({ sub: random(12) })}.${random(43, urlSafe)}`;
const jwt = signed({ alg: "HS256", typ: "JWT" });
const dashes = "-".repeat(5);
const block = (label: string, body: string, line = "\n") =>
  `${dashes}BEGIN ${label}${dashes}${line}${body}${line}${dashes}END ${label}${dashes}`;
const keyLines = Array.from({ length: 24 }, () => random(64, `${alphanumeric}+/`));
const pem = block("RSA PRIVATE KEY", keyLines.join("\n"));
const at = (user: string, password: string) => `postgres${"://"}${user}:${password}@db.example.com:5432/app`;

const tokens: readonly (readonly [kind: string, token: string])[] = [
  ...["p", "o", "u", "s"].map((letter) => ["github-token", `gh${letter}_${random(36)}`] as const),
  ["github-token", `gh${"r_"}${random(76)}`],
  ["github-token", `gh${"s_"}1234567_${jwt}`],
  ["github-token", `github${"_pat_"}${random(22)}_${random(59)}`],
  ["anthropic-key", `sk-${"ant-"}api03-${random(93, urlSafe)}AA`],
  ["anthropic-key", `sk-${"ant-"}oat01-${random(60, urlSafe)}8`],
  ["openai-key", `sk-${random(20)}T3Blbk${"FJ"}${random(20)}`],
  ["openai-key", `sk-${"proj-"}${random(58, urlSafe)}T3Blbk${"FJ"}${random(58, urlSafe)}`],
  ["openai-key", `sk-${random(32, hex)}`],
  ["openai-key", `sk-${"or-v1-"}${random(64, hex)}`],
  ["aws-access-key", `AK${"IA"}${random(16, capitals)}`],
  ["aws-access-key", `AS${"IA"}${random(16, capitals)}`],
  ...["a", "b", "e", "p", "r", "s"].map((letter) => ["slack-token", `xox${letter}-${random(12, "0123456789")}-${random(24)}`] as const),
  ["gitlab-token", `glp${"at-"}${random(20, urlSafe)}`],
  ["google-api-key", `AI${"za"}${random(35, urlSafe)}`],
  ["npm-token", `np${"m_"}${random(36)}`],
  ["huggingface-token", `h${"f_"}${random(34)}`],
  ["jwt", jwt],
  ["jwt", signed({ typ: "JWT", kid: random(600), alg: "RS256" })],
  ["jwt", `${json({ alg: "dir", enc: "A128GCM" })}..${random(16)}.${random(80)}.${random(22)}`],
  ["private-key", pem],
  ["private-key", block("PRIVATE KEY", random(64))],
  ["private-key", block("OPENSSH PRIVATE KEY", keyLines.join("\r\n"), "\r\n")],
  ["private-key", block("EC PRIVATE KEY", `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,${random(32, hex)}\n\n${keyLines.join("\n")}`)],
  ["private-key", block("PGP PRIVATE KEY BLOCK", `Version: 1\n\n${keyLines.join("\n")}\n=${random(4)}`)],
  ["private-key", JSON.stringify(pem).slice(1, -1)],
  ["private-key", JSON.stringify(JSON.stringify(pem)).slice(3, -3)],
];

describe("tokens", () => {
  test.each(tokens)("%s: %.24s…", (kind, token) => {
    for (const [before, after] of [
      ["", ""],
      ["token=", "&x=1"],
      ['{"t":"', '"}'],
      ["Bearer ", "\n"],
      ["\u001b[31m", "\u001b[0m"],
      ["it is\\n", "\\n"],
      ["q=%20", "%0A"],
      ["(", ")."],
    ] as const) {
      expect(redactor.text(`${before}${token}${after}`)).toBe(`${before}[${kind}]${after}`);
    }
    expect(redactor.kindOf(Buffer.from(`a ${token}`))).toBe(kind);
    expect(redactor.text(redactor.text(token))).toBe(`[${kind}]`);
  });

  test.each([
    [at("app", "hunter22"), at("app", "[url-password]")],
    [at("", "hunter22"), at("", "[url-password]")],
    [at("app", "p@ss:w=rd%20"), at("app", "[url-password]")],
    [at("app", "hunter22").replaceAll("/", "\\/"), at("app", "[url-password]").replaceAll("/", "\\/")],
    [`https${"://"}x-access-token:${tokens[0]?.[1]}@github.com/a/b.git`, `https${"://"}x-access-token:[github-token]@github.com/a/b.git`],
    [`https${"://"}${tokens[0]?.[1]}:x-oauth-basic@github.com`, `https${"://"}[github-token]:[url-password]@github.com`],
  ])("the password of %s is replaced", (url, redacted) => {
    expect(redactor.text(`see ${url} there`)).toBe(`see ${redacted} there`);
    expect(redactor.text(redacted)).toBe(redacted);
  });

  test.each([
    ["indented", pem.replaceAll("\n", "\n    ")],
    ["with CRLF", pem.replaceAll("\n", "\r\n")],
    ["behind time stamps", pem.replaceAll("\n", "\n2026-01-02T03:04:05.678Z ")],
    ["in lines of 32", pem.replace(/[A-Za-z0-9+/]{64}/g, (line) => `${line.slice(0, 32)}\n${line.slice(32)}`)],
    ["on one line", pem.replaceAll("\n", " ")],
    ["in a string of Go", pem.replaceAll("\n", '\\n" +\n\t"')],
    ["in base64", Buffer.from(pem).toString("base64")],
    [
      "in wrapped base64",
      (
        Buffer.from(pem)
          .toString("base64")
          .match(/.{1,76}/g) ?? []
      )
        .slice(0, 1)
        .join("\n"),
    ],
  ])("a private key is found %s", (_, text) => {
    const redacted = redactor.text(`before ${text} after`);
    expect(redacted).toBe("before [private-key] after");
  });

  test("a block without an end is dropped up to the end of its key material", () => {
    const cut = `${pem.slice(0, 900)}\n${"then an error of one line\n".repeat(100)}`;
    const redacted = redactor.text(cut);
    expect(redacted).toMatch(/^\[private-key\]\D*then an error of one line\n$/);
    expect(redacted.length).toBeGreaterThan(1900);
  });
});

describe("ordinary text stays unchanged", () => {
  test.each([
    ["words around sk-", `task-force ask-me disk-usage sk-SK risk-${random(40)} sk-fading-circle sk-toggleable__content-estimator-id-12`],
    ["a hash in a name", `desk-${random(40, hex)} my-task-sk-${random(40, hex)}`],
    ["git objects and UUIDs", `${random(40, hex)} ${random(64, hex)} 123e4567-e89b-12d3-a456-426614174000`],
    ["digests and integrities", `sha256:${random(64, hex)} sha512-${random(86)}==`],
    ["an image", `data:image/png;base64,${random(4000, `${alphanumeric}+/`)}=`],
    [
      "a source map",
      `//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify({ version: 3, sources: [random(9000)] })).toString("base64")}`,
    ],
    ["JSON in base64 with dots", `${json({ a: 1, b: random(30) })}.${json({ c: 2 })}.${random(20)}`],
    ["a JWT that is cut", `${jwt.split(".").slice(0, 2).join(".")}... ${jwt.slice(0, 30)}…`],
    [
      "a name that begins like a key",
      `npm_config_cache npm_package_dependencies_something_very_long hf_requiredCharacteristicTypesForDi AIzaShort`,
    ],
    ["too many characters", `AK${"IA"}${random(17, capitals)} AI${"za"}${random(36)} np${"m_"}${random(37)}`],
    ["too few characters", `AK${"IA"}${random(15, capitals)} gh${"p_"}${random(35)} glp${"at-"}${random(19)}`],
    ["a token inside a longer word", `x${tokens[0]?.[1]} 9${tokens[13]?.[1]}`],
    ["AWS's example", `AKIAIOSFODNN7${"EXAMPLE"}`],
    [
      "placeholders",
      `gh${"p_"}${"x".repeat(36)} sk-${"ant-"}api03-your-api-key-goes-here sk-${"ant-"}api03-${"x".repeat(40)} glp${"at-"}your-personal-access-token`,
    ],
    ["Slack's placeholders", "xoxb-your-slack-bot-token-goes-here xoxb-not-a-real-one-but-a-long-word"],
    ["a certificate", block("CERTIFICATE", keyLines.join("\n"))],
    ["a public key", block("PUBLIC KEY", keyLines.join("\n"))],
    [
      "a mention of private keys",
      `it begins with ${dashes}BEGIN RSA PRIVATE KEY${dashes}, and ${"then goes on to say something else. ".repeat(40)}`,
    ],
    ["an elided block", block("PRIVATE KEY", "...")],
    ["a block in a rule", `/${dashes}BEGIN (?:[A-Z]+ )*PRIVATE KEY${dashes}/`],
    [
      "URLs",
      "http://localhost:3000/@scope/x https://a.b:8443/?m=me@x.org git+ssh://git@github.com:a/b.git ssh://git@host:22/ http://[::1]:80/",
    ],
    ["images with digests", `docker://alpine:3.19@sha256:${random(64, hex)}`],
    [
      "passwords that are none",
      [
        at("u", "***"),
        at("u", "$PASSWORD"),
        at("u", "${PW}"),
        at("u", "<pw>"),
        at("u", "password"),
        at("me", "pw"),
        at("postgres", "postgres"),
      ].join(" "),
    ],
  ])("%s", (_, text) => {
    expect(redactor.text(text)).toBe(text);
    expect(redactor.finds(Buffer.from(text))).toBe(false);
  });
});

describe("cost", () => {
  const size = 1_000_000;
  /** Bytes that are written late were held back. */
  function through(text: string, chunkSize: number) {
    const stream = createRedactor([]).stream();
    const input = Buffer.from(text);
    let held = 0;
    let out = 0;
    let into = 0;
    for (let from = 0; from < input.length; from += chunkSize) {
      const chunk = input.subarray(from, from + chunkSize);
      into += chunk.length;
      out += stream.push(chunk).length;
      held = Math.max(held, into - out);
    }
    return { held, out: out + stream.flush().length };
  }

  test.each([
    ["a key that never ends", `sk-${"a".repeat(size)}`],
    ["prefixes only", "sk-".repeat(size / 4)],
    ["prefixes of keys, parted", "sk-ant- ".repeat(size / 8)],
    ["beginnings of a JWT", "eyJ.".repeat(size / 4)],
    ["a JWT's header", `eyJ${"a".repeat(size)}`],
    ["slashes of URLs", "a://".repeat(size / 4)],
    ["a URL that never ends", `a${"://"}${"b:c@".repeat(size / 4)}`.replace("c@b", "c,b")],
    ["the first line of a block", `${dashes}BEGIN RSA PRIVATE KEY${dashes}\n`.repeat(size / 32)],
    ["dashes", "-".repeat(size)],
  ])("%s: little is held back", (_, text) => {
    expect(through(text, 1000).held).toBeLessThan(20_000);
  });

  test("a recognized token is dropped as it arrives", () => {
    const endless = `${pem.slice(0, 900)}${random(64)}`;
    expect(redactor.text(`${json({ alg: "HS256" })}.${"ab".repeat(size / 2)} x`)).toBe("[jwt] x");
    expect(redactor.text(`${`${json({ alg: "none" })}.`.repeat(size / 20)} x`)).toBe("[jwt] x");
    expect(redactor.text(`gh${"p_"}${"aB3".repeat(size / 3)} x`)).toBe("[github-token] x");
    expect(redactor.text(`${endless}${`${random(64)}\n`.repeat(2000)}`).length).toBeGreaterThan(60_000);
    expect(through(`${endless}${`${random(64)}\n`.repeat(900)}`, 1000).out).toBe("[private-key]".length);
  });

  test("each byte is checked a bounded number of times", () => {
    const reads = (length: number) => {
      let count = 0;
      const bytes = Buffer.from("sk-ant-eyJ.-----BEGIN a://b:c@".repeat(length / 30));
      const counted = new Proxy(bytes, {
        get(target, key) {
          count++;
          const value = Reflect.get(target, key);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      redactor.finds(counted);
      return count;
    };
    const small = reads(3000);
    expect(reads(30_000)).toBeLessThan(small * 11);
    expect(small).toBeLessThan(3000 * 20);
  });
});
