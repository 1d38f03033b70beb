/**
 * Finds the password in a URL: `scheme://user:PASSWORD@host`. Only the password is replaced, so that the host stays readable. Token shapes
 * cover a token in place of the user. Pure.
 */
import { charset, latin1, type TokenShape } from "./token-match.ts";

/** The longest text after `://` that is checked. RFC 1738 has no limit, but real URLs are shorter. */
const longest = 512;

/** Shorter passwords occur in ordinary text, as with declared secrets. */
const shortest = 4;

/**
 * The characters before a host in RFC 3986 (unreserved, sub-delims, percent-encoded, `:`), and `@`, which users forget to encode.
 * Not `'`, which can end the string around the URL.
 */
const authority = charset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&()*+,;=%:@");

const schemeEnd = charset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

const at = "@".charCodeAt(0);
const colon = ":".charCodeAt(0);

/** Placeholders of documentation, and replacements of redactors. */
const placeholder =
  /^(?:\*+|\.+|x+|\$[A-Z_]+|%\w|(?:(?:your|my|the|db|user)[-_]?)?(?:password|passwd|pass|pwd|secret|token)|changeme|change-?me|example|test|user(?:name)?|root|admin|guest|postgres|mysql|mariadb|mongo|redis)$/i;

/** Passwords in URLs, even in JSON with escaped slashes. Ignores placeholders, and passwords equal to the user name. */
export const urlPassword: TokenShape = {
  kind: "url-password",
  prefixes: ["://", ":\\/\\/"],
  match(bytes, start, body, last) {
    if (start === 0 || schemeEnd[bytes[start - 1] as number] === 0) return "no";
    const limit = Math.min(bytes.length, body + longest);
    let end = body;
    let from = 0;
    let host = 0;
    for (; end < limit && authority[bytes[end] as number] === 1; end++) {
      if (bytes[end] === at) host = end + 1;
      else if (from === 0 && bytes[end] === colon) from = end + 1;
    }
    if (end === bytes.length && end < body + longest && !last) return "more";
    if (from === 0 || host - 1 - from < shortest) return "no";
    const user = latin1(bytes, body, from - 1);
    const password = latin1(bytes, from, host - 1);
    if (password === user || placeholder.test(password)) return "no";
    // An image with a tag and a digest, as in docker://alpine:3.19@sha256:…
    if (host === end || /^sha(?:256|512):/.test(latin1(bytes, host, end))) return "no";
    return { start: from, end: host - 1 };
  },
};
