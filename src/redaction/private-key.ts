/**
 * Finds private keys in PEM (RFC 7468, and the variants of OpenSSH and PGP): on lines, escaped in JSON, or after a log's time stamps.
 * Certificates and public keys are not secret. Pure.
 */
import { latin1, type Rest, type TokenShape } from "./token-match.ts";

/** The bytes from BEGIN that are examined: the line, headers such as `DEK-Info`, and the key's first line. */
const examinedLength = 512;

/** A block without END is cut after this many bytes. An RSA key of 16,384 bits takes 13,000. */
const longestBlock = 64 * 1024;

/** A block also ends after this many bytes without a line of key material, if END is missing. */
const longestGap = 512;

/** A line of key material has at least this many base64 characters in a row. */
const shortestLine = 32;

const begin = /^-----BEGIN (?:[A-Z0-9]+ ){0,5}PRIVATE KEY(?: BLOCK)?-----/;
const longestBegin = 80;
const finish = "-----END ";

/** Blocks from BEGIN to END. Text that only mentions the markers, or has `...` between them, does not match. */
export const privateKey: TokenShape = {
  kind: "private-key",
  prefixes: ["-----BEGIN "],
  match(bytes, start, _body, last) {
    const text = latin1(bytes, start, start + examinedLength);
    const line = begin.exec(text)?.[0];
    if (line === undefined) return last || text.length >= longestBegin || /[^-A-Z0-9 ]/.test(text) ? "no" : "more";
    const stop = text.indexOf(finish);
    if (stop < 0 && text.length < examinedLength && !last) return "more";
    const key = stop < 0 ? text.slice(line.length) : text.slice(line.length, stop);
    if (!hasMaterial(key, stop < 0 ? shortestLine : 16)) return "no";
    const rest = restOfBlock(line.length);
    return { start, end: start + line.length, rest };
  },
};

function hasMaterial(text: string, length: number): boolean {
  const runs = text.match(/[A-Za-z0-9+/]+/g) ?? [];
  return runs.some((run) => run.length >= length && /[a-z]/.test(run) && /[A-Z]/.test(run) && /[0-9]/.test(run));
}

/** Reads to the end of the END line, which is `-----END …-----`. */
function restOfBlock(length: number): Rest {
  let total = length;
  let gap = 0;
  let run = 0;
  /** The matched length of `finish`. Once all of it matched, the line's label is read. */
  let matched = 0;
  let dashes = 0;
  return (bytes, from) => {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      run = isBase64(byte) ? run + 1 : 0;
      gap = run >= shortestLine ? 0 : gap + 1;
      if (total++ >= longestBlock || gap > longestGap) return at;
      if (matched === finish.length) {
        dashes = byte === dash ? dashes + 1 : 0;
        if (dashes === 5) return at + 1;
        if (dashes === 0 && !isLabel(byte)) matched = 0;
      } else if (byte === finish.charCodeAt(matched)) matched++;
      else if (byte !== dash) matched = 0;
      else if (matched !== 5) matched = 1;
    }
    return undefined;
  };
}

const dash = "-".charCodeAt(0);
const space = " ".charCodeAt(0);
const slash = "/".charCodeAt(0);
const plus = "+".charCodeAt(0);
const equals = "=".charCodeAt(0);

function isBase64(byte: number): boolean {
  return isLetterOrDigit(byte) || byte === plus || byte === slash;
}

function isBlank(byte: number): boolean {
  return byte === space || byte === 9;
}

function isLineBreak(byte: number): boolean {
  return byte === 10 || byte === 13;
}

function isLabel(byte: number): boolean {
  return byte === space || isLetterOrDigit(byte);
}

function isLetterOrDigit(byte: number): boolean {
  const small = byte | 0x20;
  return (byte >= 48 && byte <= 57) || (small >= 97 && small <= 122);
}

/** `-----BEGIN ` in base64. The label after it distinguishes a key from a certificate. */
const encodedBegin = "LS0tLS1CRUdJTi";
const encodedLines = /^[A-Za-z0-9+/=]+(?:\r?\n[ \t]*[A-Za-z0-9+/=]+)*/;
/** Base64 is wrapped at 60, 64 or 76 columns; a shorter line is the last one. */
const shortestEncodedLine = 60;

/** A block in base64, on one line or wrapped, as Kubernetes and CI variables store it. */
export const encodedPrivateKey: TokenShape = {
  kind: "private-key",
  prefixes: [encodedBegin],
  match(bytes, start, _body, last) {
    if (start > 0 && isBase64(bytes[start - 1] as number)) return "no";
    const text = latin1(bytes, start, start + examinedLength);
    const lines = encodedLines.exec(text)?.[0] ?? "";
    if (lines.length === text.length && text.length < examinedLength && !last) return "more";
    if (!begin.test(Buffer.from(lines.replaceAll(/\s/g, ""), "base64").toString("latin1"))) return "no";
    return { start, end: start + encodedBegin.length, rest: restOfLines(encodedBegin.length) };
  },
};

function restOfLines(length: number): Rest {
  let column = length;
  return (bytes, from) => {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (isBase64(byte) || byte === equals) column = Math.max(0, column) + 1;
      else if (isLineBreak(byte) && (column >= shortestEncodedLine || column < 0)) column = -1;
      else if (!(isBlank(byte) && column < 0)) return at;
    }
    return undefined;
  };
}
