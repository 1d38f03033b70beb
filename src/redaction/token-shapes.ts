/**
 * The shapes of tokens that are scrubbed although nobody declared them. Each rule names its source: the vendor's documentation
 * where it fixes a format, else the rules of public detectors (gitleaks' cmd/generate/config/rules, secretlint's preset).
 *
 * Why not a detector as a package: @secretlint/secretlint-rule-preset-recommend asks for Node 22 since its major 11, its last
 * major for Node 20 is a bundle of 1 MB, its core is asynchronous, and it takes whole documents as strings; Wave scrubs streams at
 * the speed of the child, and without a wait. gitleaks is a Go program. So their rules are followed, not their code.
 *
 * Precise before complete: an artifact that holds a token fails its step, so placeholders in documentation stay, as do hashes,
 * UUIDs, images in base64 and words such as `task-force`. What has no shape (AWS secret keys, plain passwords) is not found:
 * declare it.
 */
import { privateKey } from "./private-key.ts";
import { dashedCharacters, dottedCharacters, runShape, type TokenShape, wordCharacters } from "./token-match.ts";
import { urlPassword } from "./url-password.ts";

/** Words between dashes that documentation writes into a token's place. */
const placeholderWord = /(?:^|[-_])(?:your|my|example|sample|placeholder|redacted|dummy|fake|here|key|token|secret|x{3,})(?=[-_]|$)/i;

/** `ghp_xxxx…`, `sk-ant-api03-your-key-here`: more than half of it one character, or a word that says so. */
function isPlaceholder(body: string): boolean {
  const counts = new Uint16Array(128);
  let most = 0;
  for (let at = 0; at < body.length; at++) {
    const code = body.charCodeAt(at);
    counts[code] = (counts[code] ?? 0) + 1;
    most = Math.max(most, counts[code] ?? 0);
  }
  return most > body.length / 2 || placeholderWord.test(body);
}

/** Random letters and digits, where dashes may part them. */
function hasRandomPart(body: string): boolean {
  return body.split(/[-_]/).some((part) => part.length >= 24 && /[0-9]/.test(part) && /[A-Za-z]/.test(part));
}

/** Whether the first part of a JWT (RFC 7515, RFC 7516) is JSON with `alg`. */
function isJoseHeader(part: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return typeof header === "object" && header !== null && "alg" in header;
  } catch {
    return false;
  }
}

/** Every shape; the first one decides where two begin at one place. */
export const tokenShapes: readonly TokenShape[] = [
  // GitHub: github.blog/2021-04-05-behind-githubs-new-authentication-token-formats; gitleaks github-*: 36 characters, ghr_ 76.
  runShape({
    kind: "github-token",
    prefixes: ["ghp_", "gho_", "ghu_", "ghr_"],
    charset: wordCharacters,
    min: 36,
    max: 255,
    longer: true,
    check: (body) => /^[A-Za-z0-9]{36}/.test(body) && !isPlaceholder(body),
  }),
  // Tokens of installations, GITHUB_TOKEN among them; newer ones hold the app's number and a JWT.
  runShape({
    kind: "github-token",
    prefixes: ["ghs_"],
    charset: dottedCharacters,
    min: 36,
    max: 1024,
    longer: true,
    check: (body) => /^(?:[A-Za-z0-9]{36}|[0-9]+_eyJ)/.test(body) && !isPlaceholder(body),
  }),
  // Fine-grained: gitleaks github-fine-grained-pat asks for 82 characters.
  runShape({
    kind: "github-token",
    prefixes: ["github_pat_"],
    charset: wordCharacters,
    min: 36,
    max: 255,
    longer: true,
    check: (body) => !isPlaceholder(body),
  }),
  // gitleaks anthropic-*: api03 and admin01 with 95 characters behind, oat01 and ort01 with 40 and more.
  runShape({
    kind: "anthropic-key",
    prefixes: ["sk-ant-"],
    charset: dashedCharacters,
    min: 24,
    max: 255,
    longer: true,
    check: (body) => /[0-9]/.test(body) && !isPlaceholder(body),
  }),
  // gitleaks openai-api-key: T3BlbkFJ in the middle. Others (DeepSeek, OpenRouter, LiteLLM) took the prefix over, with 32 and more
  // random letters and digits.
  runShape({
    kind: "openai-key",
    prefixes: ["sk-"],
    charset: dashedCharacters,
    min: 24,
    max: 255,
    longer: true,
    check: (body) => !body.startsWith("ant-") && (body.includes("T3BlbkFJ") || hasRandomPart(body)) && !isPlaceholder(body),
  }),
  // docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html; gitleaks aws-access-token. EXAMPLE ends AWS's own examples.
  runShape({
    kind: "aws-access-key",
    prefixes: ["AKIA", "ASIA"],
    charset: wordCharacters,
    min: 16,
    max: 16,
    longer: false,
    check: (body) => /^[A-Z0-9]+$/.test(body) && !body.endsWith("EXAMPLE") && !isPlaceholder(body),
  }),
  // api.slack.com/authentication/token-types; gitleaks slack-*: groups of digits, then letters.
  runShape({
    kind: "slack-token",
    prefixes: ["xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-"],
    charset: dashedCharacters,
    min: 16,
    max: 255,
    longer: true,
    check: (body) => (body.match(/[0-9]/g)?.length ?? 0) >= 4 && !isPlaceholder(body),
  }),
  // docs.gitlab.com/security/tokens; gitleaks gitlab-pat, gitlab-pat-routable.
  runShape({
    kind: "gitlab-token",
    prefixes: ["glpat-"],
    charset: dashedCharacters,
    min: 20,
    max: 320,
    longer: true,
    check: (body) => !isPlaceholder(body),
  }),
  // gitleaks gcp-api-key.
  runShape({
    kind: "google-api-key",
    prefixes: ["AIza"],
    charset: dashedCharacters,
    min: 35,
    max: 35,
    longer: false,
    check: (body) => !isPlaceholder(body),
  }),
  // github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format; gitleaks npm-access-token.
  runShape({
    kind: "npm-token",
    prefixes: ["npm_"],
    charset: wordCharacters,
    min: 36,
    max: 36,
    longer: false,
    check: (body) => /^[A-Za-z0-9]+$/.test(body) && !isPlaceholder(body),
  }),
  // huggingface.co/docs/hub/security-tokens; gitleaks huggingface-access-token: 34 letters. Names in camel case have few capitals.
  runShape({
    kind: "huggingface-token",
    prefixes: ["hf_"],
    charset: wordCharacters,
    min: 34,
    max: 40,
    longer: false,
    check: (body) =>
      /^[A-Za-z0-9]+$/.test(body) && /[a-z]/.test(body) && (body.match(/[A-Z0-9]/g)?.length ?? 0) >= 7 && !isPlaceholder(body),
  }),
  // RFC 7519: `{"` opens the header. A token that is too long to be judged as a whole has at least a header.
  runShape({
    kind: "jwt",
    prefixes: ["eyJ"],
    charset: dottedCharacters,
    min: 24,
    max: 8192,
    longer: true,
    check(body, whole) {
      const [header = "", payload = "", signature = ""] = body.split(".", 3);
      if (whole ? signature.length < 8 : payload === "") return false;
      return isJoseHeader(`eyJ${header}`);
    },
  }),
  privateKey,
  urlPassword,
];
