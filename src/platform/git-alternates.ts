/**
 * Object directories that a repository borrows from: `objects/info/alternates` (gitrepository-layout(5)), chains included. Everything
 * read is data: a directory that does not look like one of git's is left out, so that a planted line shows no other directory.
 */
import { statSync } from "node:fs";
import path from "node:path";
import { realPlace } from "./files.ts";
import { readSmall } from "./git-repository.ts";
import { entriesIn } from "./walk.ts";

/** A borrowed object directory. */
export interface ObjectDirectory {
  /** The path under which git looks for it: absolute, without `..`, possibly through symbolic links. */
  readonly place: string;
  /** The same directory without symbolic links. */
  readonly source: string;
}

/** The largest list that is read, in bytes, and the longest chain that git follows. */
const listBytes = 1024 * 1024;
const longestChain = 5;

/** Names in an object directory: loose objects by their first byte, packs, and temporary files. */
const objectNames = /^(?:[0-9a-f]{2}|pack|info|tmp_.+|incoming-.+|.+\.lock|\.nfs.+)$/;

/**
 * The directories that `objects`, an object directory, borrows from, in the order of git. Missing ones are left out, and private ones of
 * another user than the owner of `objects`: root could read them, but the owner of the list could not.
 */
export function alternatesOf(objects: string): readonly ObjectDirectory[] {
  const found = new Map<string, ObjectDirectory>();
  const owner = statSync(objects, { throwIfNoEntry: false })?.uid;
  const visit = (directory: string, depth: number) => {
    for (const place of namedAlternates(directory)) {
      const source = realPlace(place);
      if (source === undefined || found.has(place) || !holdsObjects(source) || !mayRead(owner, source)) continue;
      found.set(place, { place, source });
      if (depth < longestChain) visit(place, depth + 1);
    }
  };
  visit(objects, 1);
  return [...found.values()];
}

/** The absolute paths in the list of an object directory, whatever is there. */
export function namedAlternates(objects: string): readonly string[] {
  const text = readSmall(path.join(objects, "info", "alternates"), listBytes)?.toString() ?? "";
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => path.resolve(objects, line.startsWith('"') ? unquoted(line) : line));
}

const escapes: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** A line with the escapes of C, as git writes paths that need them. Octal escapes are bytes of UTF-8. */
function unquoted(line: string): string {
  const inner = line.replace(/^"|"$/g, "");
  const bytes: Buffer[] = [];
  for (const [part, octal, letter] of inner.matchAll(/\\([0-3][0-7]{2})|\\(.)|[^\\]+/gs)) {
    if (octal !== undefined) bytes.push(Buffer.from([Number.parseInt(octal, 8)]));
    else bytes.push(Buffer.from(letter === undefined ? part : (escapes[letter] ?? letter)));
  }
  return Buffer.concat(bytes).toString();
}

function holdsObjects(directory: string): boolean {
  try {
    return entriesIn(directory).every(({ name }) => objectNames.test(name));
  } catch {
    return false;
  }
}

/** Whether a directory belongs to a user, or is open to all users. */
function mayRead(user: number | undefined, directory: string): boolean {
  const { uid, mode } = statSync(directory);
  if (uid === user) return true;
  if ((mode & 0o005) !== 0o005) return false;
  for (let above = path.dirname(directory); ; above = path.dirname(above)) {
    if ((statSync(above).mode & 0o001) === 0) return false;
    if (above === path.dirname(above)) return true;
  }
}
