/**
 * The shapes of tokens that are redacted even if they are not declared. The tables in this directory name their sources.
 *
 * Existing detectors are unsuitable: @secretlint/secretlint-rule-preset-recommend requires Node 22 since version 11, its last version for
 * Node 20 is a bundle of 1 MB, its core is asynchronous, and it reads whole documents as strings, while Wave redacts streams at the speed
 * of the child. gitleaks is a Go program.
 *
 * Precision matters most, because an artifact that contains a token fails its step. Placeholders in documentation, hashes, UUIDs, images
 * in base64 and words such as `task-force` are not tokens. Plain passwords have no shape, so they must be declared.
 */
import { encodedPrivateKey, privateKey } from "./private-key.ts";
import { aiFamilies } from "./token-families-ai.ts";
import { cloudFamilies } from "./token-families-cloud.ts";
import { codeFamilies } from "./token-families-code.ts";
import { familyShape } from "./token-family.ts";
import { dottedCharacters, runShape, type TokenShape } from "./token-match.ts";
import { markedShape, markedTokens, namedKeys, namedShape } from "./token-names.ts";
import { urlPassword } from "./url-password.ts";

/** Whether the first part of a JWT (RFC 7515, RFC 7516) is JSON with `alg`. */
function isJoseHeader(part: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return typeof header === "object" && header !== null && "alg" in header;
  } catch {
    return false;
  }
}

// RFC 7519: `{"` opens the header. For a token that is too long to check as a whole, the header is checked.
const jwt: TokenShape = runShape({
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
});

/** All shapes. If two match at the same offset, the first one wins. */
export const tokenShapes: readonly TokenShape[] = [
  ...[...codeFamilies, ...aiFamilies, ...cloudFamilies].map(familyShape),
  ...markedTokens.map(markedShape),
  ...namedKeys.map(namedShape),
  jwt,
  privateKey,
  encodedPrivateKey,
  urlPassword,
];
