/**
 * Shapes of keys that are recognized by the name of their environment variable or field (`NAME=value`, `"NAME": "value"`, `NAME: value`,
 * even if escaped in JSON), and of tokens with a mark in the middle. Pure.
 */
import { isPlaceholder, looksRandom } from "./token-family.ts";
import { charset, dashedCharacters, latin1, type TokenShape, textBefore } from "./token-match.ts";

export interface NamedKey {
  /** The name shown in brackets. */
  readonly kind: string;
  readonly names: readonly string[];
  /** Matches the whole value. */
  readonly value: RegExp;
}

export const namedKeys: readonly NamedKey[] = [
  { kind: "cohere-key", names: ["COHERE_API_KEY", "CO_API_KEY"], value: /^[A-Za-z0-9]{40}$/ },
  { kind: "mistral-key", names: ["MISTRAL_API_KEY"], value: /^[A-Za-z0-9]{32}$/ },
  { kind: "together-key", names: ["TOGETHER_API_KEY"], value: /^[0-9a-f]{64}$/ },
  { kind: "fireworks-key", names: ["FIREWORKS_API_KEY"], value: /^(?:fw_)?[A-Za-z0-9]{22,48}$/ },
  { kind: "voyage-key", names: ["VOYAGE_API_KEY"], value: /^pa-[A-Za-z0-9_-]{40,48}$/ },
  { kind: "elevenlabs-key", names: ["ELEVENLABS_API_KEY", "ELEVEN_API_KEY"], value: /^[0-9a-f]{32}$/ },
  { kind: "wandb-key", names: ["WANDB_API_KEY"], value: /^[0-9a-f]{40}$/ },
  { kind: "azure-openai-key", names: ["AZURE_OPENAI_API_KEY", "AZURE_OPENAI_KEY"], value: /^[A-Za-z0-9]{32}(?:[A-Za-z0-9]{52})?$/ },
  { kind: "aws-secret-key", names: ["AWS_SECRET_ACCESS_KEY", "aws_secret_access_key", "SecretAccessKey"], value: /^[A-Za-z0-9+/]{40}$/ },
  { kind: "cloudflare-token", names: ["CLOUDFLARE_API_TOKEN", "CF_API_TOKEN"], value: /^[A-Za-z0-9_-]{40}$/ },
  { kind: "cloudflare-token", names: ["CLOUDFLARE_API_KEY", "CF_API_KEY"], value: /^[0-9a-f]{37,45}$/ },
  { kind: "twilio-key", names: ["TWILIO_AUTH_TOKEN"], value: /^[0-9a-f]{32}$/ },
  { kind: "vault-token", names: ["VAULT_TOKEN"], value: /^s\.[A-Za-z0-9]{24}$/ },
  { kind: "datadog-key", names: ["DD_API_KEY", "DATADOG_API_KEY", "DD_APP_KEY"], value: /^[0-9a-f]{32}(?:[0-9a-f]{8})?$/ },
  { kind: "pinecone-key", names: ["PINECONE_API_KEY"], value: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ },
  { kind: "heroku-key", names: ["HEROKU_API_KEY"], value: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ },
  { kind: "snyk-token", names: ["SNYK_TOKEN"], value: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ },
  { kind: "codecov-token", names: ["CODECOV_TOKEN"], value: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ },
];

/** Between a name and its value: quotes, blanks, and one `=` or `:`. */
const separator = /^[\\"' \t]{0,8}[=:][>\\"' \t]{0,8}/;
const longestSeparator = 18;
const longestValue = 96;

const valueCharacters = charset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.+/");

/** The shape of a key after one of its names. The name is not replaced. */
export function namedShape({ kind, names, value: wanted }: NamedKey): TokenShape {
  return {
    kind,
    prefixes: names,
    match(bytes, _start, body, last) {
      const between = latin1(bytes, body, body + longestSeparator);
      const found = separator.exec(between);
      const open = body + between.length === bytes.length && !last;
      if (found === null) return open && /^[\\"' \t]{0,8}$/.test(between) ? "more" : "no";
      const start = body + found[0].length;
      const limit = Math.min(bytes.length, start + longestValue);
      let end = start;
      while (end < limit && valueCharacters[bytes[end] as number] === 1) end++;
      if (end === bytes.length && end < start + longestValue && !last) return "more";
      const value = latin1(bytes, start, end);
      return wanted.test(value) && looksRandom(value) && !isPlaceholder(value) ? { start, end } : "no";
    },
  };
}

export interface MarkedToken {
  readonly kind: string;
  /** The text in the middle of such a token. It and the text after it are replaced. */
  readonly marks: readonly string[];
  /** Matches the end of the text before the mark, of at most 24 characters. */
  readonly before: RegExp;
  readonly after: RegExp;
  /** The length of the longest text after the mark. */
  readonly longest: number;
  readonly characters: Uint8Array;
}

export const markedTokens: readonly MarkedToken[] = [
  // learn.microsoft.com/entra: client secrets have `8Q~` or another digit after three characters.
  {
    kind: "azure-client-secret",
    marks: [..."0123456789"].map((digit) => `${digit}Q~`),
    before: /(?:^|[^A-Za-z0-9_~.-])[A-Za-z0-9_~.]{3}$/,
    after: /^[A-Za-z0-9_~.-]{31,34}$/,
    longest: 34,
    characters: charset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~.-"),
  },
  // developer.hashicorp.com/terraform/cloud-docs: 14 characters before the mark.
  {
    kind: "terraform-token",
    marks: [".atlasv1."],
    before: /(?:^|[^A-Za-z0-9])[A-Za-z0-9]{14}$/,
    after: /^[A-Za-z0-9_=-]{60,70}$/,
    longest: 70,
    characters: dashedCharacters,
  },
  // core.telegram.org/bots: the bot's number before the mark.
  {
    kind: "telegram-token",
    marks: [":AA"],
    before: /(?:^|[^0-9])(?:bot)?[0-9]{8,10}$/,
    after: /^[A-Za-z0-9_-]{33}$/,
    longest: 33,
    characters: dashedCharacters,
  },
];

/** The shape of a token with a mark in its middle. The text before the mark is not replaced: it may already be written. */
export function markedShape({ kind, marks, before, after, longest, characters }: MarkedToken): TokenShape {
  return {
    kind,
    prefixes: marks,
    match(bytes, start, body, last) {
      if (!before.test(textBefore(bytes, start))) return "no";
      const limit = Math.min(bytes.length, body + longest + 1);
      let end = body;
      while (end < limit && characters[bytes[end] as number] === 1) end++;
      if (end === bytes.length && end - body <= longest && !last) return "more";
      // Full stops at the end are not part of the token.
      while (end > body && bytes[end - 1] === 0x2e) end--;
      const text = latin1(bytes, body, end);
      return after.test(text) && looksRandom(text) ? { start, end } : "no";
    },
  };
}
