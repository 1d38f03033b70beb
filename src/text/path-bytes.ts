/**
 * Converts file names between bytes and text without loss. Bytes that are not UTF-8 become lone surrogates U+DC00+b, as with Python's
 * `surrogateescape`. UTF-8 never decodes to these, so each name has exactly one text.
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const escapeBase = 0xdc00;

export function pathFromBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeEscaping(bytes);
  }
}

/** The inverse of `pathFromBytes`. Lone surrogates that it never returns become U+FFFD. */
export function pathToBytes(path: string): Uint8Array {
  if (!hasEscapes(path)) return Buffer.from(path);
  const parts: Uint8Array[] = [];
  for (const character of path) {
    const code = character.codePointAt(0) ?? 0;
    parts.push(isEscape(code) ? Uint8Array.of(code - escapeBase) : Buffer.from(character));
  }
  return Buffer.concat(parts);
}

/** A path below `directory` for the file system: bytes if the name is not UTF-8. `path` has forward slashes; empty is the directory. */
export function fsPath(directory: string, path: string): string | Buffer {
  const whole = path === "" ? directory : `${directory}/${path}`;
  return hasEscapes(whole) ? Buffer.from(pathToBytes(whole)) : whole;
}

/** Whether a path has lone surrogates, so that calls need its bytes. */
export function hasEscapes(path: string): boolean {
  return /[\ud800-\udfff]/u.test(path);
}

/**
 * Whether a changeset may contain a path: relative, in its canonical spelling, without `.`, `..`, empty segments, NUL or (on Windows)
 * backslashes and colons, and without a segment that some file system treats as `.git`.
 */
export function isPathSafe(path: string, platform: NodeJS.Platform = process.platform): boolean {
  if (path.includes("\0") || (platform === "win32" && /[\\:]/.test(path))) return false;
  if (pathFromBytes(pathToBytes(path)) !== path) return false;
  return path.split("/").every((segment) => segment !== "" && segment !== "." && segment !== ".." && !isGitName(segment));
}

/**
 * Whether some file system treats a name as `.git`: in any case, with characters that HFS+ ignores, as NTFS's short name, or with a
 * suffix that Windows removes. Git refuses the same names.
 */
export function isGitName(name: string): boolean {
  if (name.length < 4) return false;
  const plain = name.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "").toLowerCase();
  return /^(?:\.git|git~1)(?:[ .]*$|:)/.test(plain);
}

function isEscape(code: number): boolean {
  return code >= escapeBase + 0x80 && code <= escapeBase + 0xff;
}

function decodeEscaping(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    const sequence = bytes.subarray(at, at + sequenceLength(first));
    const decoded = first < 0x80 ? String.fromCharCode(first) : oneCharacter(sequence);
    text += decoded ?? String.fromCharCode(escapeBase + first);
    at += decoded === undefined ? 1 : sequence.length;
  }
  return text;
}

/** Decodes one character; undefined if the bytes are not valid UTF-8. */
function oneCharacter(sequence: Uint8Array): string | undefined {
  try {
    return strict.decode(sequence);
  } catch {
    return undefined;
  }
}

function sequenceLength(first: number): number {
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
}
