/** A tree as changesets see it, read the plain way: what the clever ways are held to. */
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { entryOf, sortEntries } from "../../src/changeset/combine-changes.ts";
import type { Changeset, FileState } from "../../src/core/changeset.ts";
import { pathFromBytes } from "../../src/text/path-bytes.ts";

export type LeafTree = ReadonlyMap<string, FileState>;

/** Every leaf below a directory but repositories' insides and what is left out. */
export function leafTree(directory: string, isLeftOut: (path: string) => boolean = () => false): LeafTree {
  const leaves = new Map<string, FileState>();
  enter(Buffer.from(directory), Buffer.alloc(0));
  return leaves;

  function enter(place: Buffer, path: Buffer): void {
    asOwner(place, 0o700, () => visit(place, path));
  }

  function visit(place: Buffer, path: Buffer): void {
    const names = readdirSync(place, { encoding: "buffer" });
    if (names.length === 0 && path.length > 0) leaves.set(pathFromBytes(path), { mode: "040000" });
    for (const name of names) {
      const child = Buffer.concat([place, Buffer.from("/"), name]);
      const inner = path.length === 0 ? name : Buffer.concat([path, Buffer.from("/"), name]);
      if (name.toString() === ".git" || isLeftOut(pathFromBytes(inner))) continue;
      const stats = lstatSync(child);
      if (stats.isDirectory()) enter(child, inner);
      else if (stats.isSymbolicLink()) leaves.set(pathFromBytes(inner), stateOf("120000", readlinkSync(child, { encoding: "buffer" })));
      else if (stats.isFile())
        leaves.set(
          pathFromBytes(inner),
          stateOf(
            (stats.mode & 0o100) === 0 ? "100644" : "100755",
            asOwner(child, 0o400, (file) => readFileSync(file)),
          ),
        );
    }
  }
}

/** Its owner may open what is closed; its mode stays what it is. */
function asOwner<T>(place: Buffer, bits: number, look: (place: Buffer) => T): T {
  const { mode } = lstatSync(place);
  if ((mode & bits) === bits) return look(place);
  chmodSync(place, mode | bits);
  try {
    return look(place);
  } finally {
    chmodSync(place, mode & 0o7777);
  }
}

function stateOf(mode: "100644" | "100755" | "120000", bytes: Buffer): FileState {
  return { mode, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, size: bytes.length };
}

/** The same changes as `changesBetween` has them: without permissions, which trees here do not have. */
export function withoutPermissions(changes: Changeset): Changeset {
  const plain = (state: FileState): FileState => {
    if (!("digest" in state)) return state;
    const { permissions: _, ...rest } = state;
    return rest;
  };
  return changes.map(({ path, before, after }) => ({
    path,
    ...(before === undefined ? {} : { before: plain(before) }),
    ...(after === undefined ? {} : { after: plain(after) }),
  }));
}

/** What leads from one tree to another. */
export function changesBetween(a: LeafTree, b: LeafTree): Changeset {
  return sortEntries([...new Set([...a.keys(), ...b.keys()])].flatMap((path) => entryOf(path, a.get(path), b.get(path)) ?? []));
}
