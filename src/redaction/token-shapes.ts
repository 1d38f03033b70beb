/**
 * The shapes of tokens that are redacted although they were not declared. The tables beside this file name their sources.
 *
 * Detectors exist as packages, but do not fit: @secretlint/secretlint-rule-preset-recommend requires Node 22 since its major 11, its
 * last major for Node 20 is a bundle of 1 MB, its core is asynchronous, and it takes whole documents as strings, while Wave redacts
 * streams at the speed of the child. gitleaks is a Go program.
 *
 * Precision comes first: an artifact that contains a token fails its step, so placeholders in documentation stay, as do hashes,
 * UUIDs, images in base64 and words such as `task-force`. Plain passwords have no shape and are not found: declare them.
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

// RFC 7519: `{"` opens the header. A token that is too long to be judged as a whole has at least a header.
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

/** Every shape. The first one decides where two begin at one place. */
export const tokenShapes: readonly TokenShape[] = [
  ...[...codeFamilies, ...aiFamilies, ...cloudFamilies].map(familyShape),
  ...markedTokens.map(markedShape),
  ...namedKeys.map(namedShape),
  jwt,
  privateKey,
  encodedPrivateKey,
  urlPassword,
];
