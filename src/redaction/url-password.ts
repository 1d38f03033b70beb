/**
 * The password in a URL: `scheme://user:PASSWORD@host`. Only the password is taken out, so that people still see where something
 * connected to. A token in the user's place is left to the shapes of tokens. Pure.
 */
import { charset, latin1, type TokenShape } from "./token-match.ts";

/** No more of what follows `://` is judged: RFC 1738 names no limit, nor does any client need one of this size. */
const longest = 512;

/** Like the values of declared secrets: shorter ones occur in ordinary text. */
const shortest = 4;

/**
 * What stands before a host, after RFC 3986 (unreserved, sub-delims, percent-encoded, `:`), and `@`, which people forget to encode.
 * Without `'`, which ends the string that the URL stands in.
 */
const authority = charset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&()*+,;=%:@");

const schemeEnd = charset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

const at = "@".charCodeAt(0);
const colon = ":".charCodeAt(0);

/** What documentation writes where a password goes, and what scrubbers leave of one. */
const placeholder =
  /^(?:\*+|\.+|x+|\$[A-Z_]+|%\w|(?:(?:your|my|the|db|user)[-_]?)?(?:password|passwd|pass|pwd|secret|token)|changeme|change-?me|example|test|user(?:name)?|root|admin|guest|postgres|mysql|mariadb|mongo|redis)$/i;

/** Passwords in URLs, also in JSON that escapes slashes. Placeholders stay, as does a password that is the user's name. */
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
