/**
 * Private keys in PEM's form (RFC 7468, and what OpenSSH and PGP make of it), on lines, escaped in JSON, or behind a log's
 * time stamps. Certificates and public keys are no secrets. Pure.
 */
import { charset, latin1, type Rest, runShape, type TokenShape } from "./token-match.ts";

/** From BEGIN on: room for the line itself, and headers such as `DEK-Info` before the first line of the key. */
const judged = 512;

/** A block that never ends is given up after so many bytes; an RSA key of 16,384 bits takes 13,000. */
const longestBlock = 64 * 1024;

/** So many bytes without a line of key material end a block whose END is missing. */
const longestGap = 512;

/** Fewer characters of base64 in a row are no line of key material. */
const shortestLine = 32;

const begin = /^-----BEGIN (?:[A-Z0-9]+ ){0,5}PRIVATE KEY(?: BLOCK)?-----/;
const longestBegin = 80;
const finish = "-----END ";

/** Blocks from BEGIN to END. Text that merely names them, or shows `...` between them, is none. */
export const privateKey: TokenShape = {
  kind: "private-key",
  prefixes: ["-----BEGIN "],
  match(bytes, start, _body, last) {
    const text = latin1(bytes, start, start + judged);
    const line = begin.exec(text)?.[0];
    if (line === undefined) return last || text.length >= longestBegin || /[^-A-Z0-9 ]/.test(text) ? "no" : "more";
    const stop = text.indexOf(finish);
    if (stop < 0 && text.length < judged && !last) return "more";
    const key = stop < 0 ? text.slice(line.length) : text.slice(line.length, stop);
    if (!hasMaterial(key, stop < 0 ? 40 : 16)) return "no";
    const rest = restOfBlock(line.length);
    return { start, end: start + line.length, rest };
  },
};

function hasMaterial(text: string, length: number): boolean {
  const runs = text.match(/[A-Za-z0-9+/]+/g) ?? [];
  return runs.some((run) => run.length >= length && /[a-z]/.test(run) && /[A-Z]/.test(run) && /[0-9]/.test(run));
}

/** Reads to the end of the END line, which is `-----END …-----`. */
function restOfBlock(begun: number): Rest {
  let total = begun;
  let gap = 0;
  let run = 0;
  /** How much of `finish` was read; all of it: the line's label is being read. */
  let read = 0;
  let dashes = 0;
  return (bytes, from) => {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      run = isBase64(byte) ? run + 1 : 0;
      gap = run >= shortestLine ? 0 : gap + 1;
      if (total++ >= longestBlock || gap > longestGap) return at;
      if (read === finish.length) {
        dashes = byte === dash ? dashes + 1 : 0;
        if (dashes === 5) return at + 1;
        if (dashes === 0 && !isLabel(byte)) read = 0;
      } else if (byte === finish.charCodeAt(read)) read++;
      else if (byte !== dash) read = 0;
      else if (read !== 5) read = 1;
    }
    return undefined;
  };
}

const dash = "-".charCodeAt(0);
const space = " ".charCodeAt(0);
const slash = "/".charCodeAt(0);
const plus = "+".charCodeAt(0);

function isBase64(byte: number): boolean {
  return isLetterOrDigit(byte) || byte === plus || byte === slash;
}

function isLabel(byte: number): boolean {
  return byte === space || isLetterOrDigit(byte);
}

function isLetterOrDigit(byte: number): boolean {
  const small = byte | 0x20;
  return (byte >= 48 && byte <= 57) || (small >= 97 && small <= 122);
}

/**
 * A block in base64, as Kubernetes and CI variables store it. The prefix is `-----BEGIN ` there, which begins its text; the label
 * tells a key from a certificate.
 */
export const encodedPrivateKey: TokenShape = runShape({
  kind: "private-key",
  prefixes: ["LS0tLS1CRUdJTi"],
  charset: charset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="),
  before: charset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
  min: 100,
  max: judged,
  longer: true,
  check: (body) => begin.test(Buffer.from(`LS0tLS1CRUdJTi${body}`, "base64").toString("latin1")),
});
