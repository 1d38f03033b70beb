/**
 * Object directories that a repository borrows from: `objects/info/alternates` (gitrepository-layout(5)), including chains. The list is
 * not trusted: only directories with git's object names are used, so that a planted line cannot expose another directory.
 */
import { statSync } from "node:fs";
import path from "node:path";
import { realPlace } from "./files.ts";
import { readSmall } from "./git-repository.ts";
import { entriesIn } from "./walk.ts";

/** A borrowed object directory. */
export interface ObjectDirectory {
  /** The path that git uses: absolute, without `..`, possibly through symbolic links. */
  readonly place: string;
  /** The path without symbolic links. */
  readonly source: string;
}

/** Larger lists are not read, in bytes; longer chains are not followed, as in git. */
const listBytes = 1024 * 1024;
const longestChain = 5;

/** The names in an object directory: first bytes of loose objects, packs and temporary files. */
const objectNames = /^(?:[0-9a-f]{2}|pack|info|tmp_.+|incoming-.+|.+\.lock|\.nfs.+)$/;

/**
 * The directories that the object directory `objects` borrows from, in git's order. Omits missing ones, and those that the owner of
 * `objects` may not read, even if root could.
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

/** The absolute paths in the list of an object directory, unchecked. */
export function namedAlternates(objects: string): readonly string[] {
  const text = readSmall(path.join(objects, "info", "alternates"), listBytes)?.toString() ?? "";
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => path.resolve(objects, line.startsWith('"') ? unquoted(line) : line));
}

const escapes: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** Decodes a line with C escapes, which git uses for unusual paths. Octal escapes are bytes of UTF-8. */
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

/** Whether a user owns a directory, or all users may read it. */
function mayRead(user: number | undefined, directory: string): boolean {
  const { uid, mode } = statSync(directory);
  if (uid === user) return true;
  if ((mode & 0o005) !== 0o005) return false;
  for (let above = path.dirname(directory); ; above = path.dirname(above)) {
    if ((statSync(above).mode & 0o001) === 0) return false;
    if (above === path.dirname(above)) return true;
  }
}
