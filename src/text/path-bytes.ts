/**
 * File names as text, without loss. A name is bytes; where they are UTF-8 its text is what they say, and each other byte b stands as
 * the lone surrogate U+DC00+b (as Python's `surrogateescape` does), which no UTF-8 can give. So every name has exactly one text.
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const escapeBase = 0xdc00;

/** The text of a name. */
export function pathFromBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeEscaping(bytes);
  }
}

/** The bytes of a text that `pathFromBytes` gave. Other lone surrogates, which it never gives, become U+FFFD. */
export function pathToBytes(path: string): Uint8Array {
  if (!hasEscapes(path)) return Buffer.from(path);
  const parts: Uint8Array[] = [];
  for (const character of path) {
    const code = character.codePointAt(0) ?? 0;
    parts.push(isEscape(code) ? Uint8Array.of(code - escapeBase) : Buffer.from(character));
  }
  return Buffer.concat(parts);
}

/** A path below a directory, for calls to the file system: bytes where text would not do. `path` has forward slashes; empty is the directory. */
export function fsPath(directory: string, path: string): string | Buffer {
  const whole = path === "" ? directory : `${directory}/${path}`;
  return hasEscapes(whole) ? Buffer.from(pathToBytes(whole)) : whole;
}

/** Whether a text has lone surrogates: not every call takes such a name. */
export function hasEscapes(path: string): boolean {
  return /[\ud800-\udfff]/u.test(path);
}

/**
 * Whether a path names something below a root that a changeset may speak of: relative, in its one spelling, without `.` and `..`,
 * empty segments, NUL and backslashes that a system takes for slashes, and with no segment that any file system takes for `.git`.
 */
export function isPathSafe(path: string, platform: NodeJS.Platform = process.platform): boolean {
  if (path.includes("\0") || (platform === "win32" && /[\\:]/.test(path))) return false;
  if (pathFromBytes(pathToBytes(path)) !== path) return false;
  return path.split("/").every((segment) => segment !== "" && segment !== "." && segment !== ".." && !isGitName(segment));
}

/**
 * Whether a name is `.git` to some file system: in any case, with characters that HFS+ ignores, as the short name that NTFS gives
 * it, or with the ends that Windows drops (the cases that git itself refuses).
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

/** One character, or nothing where the bytes are not its UTF-8. */
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
