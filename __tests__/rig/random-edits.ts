/** Random edits of real directories, over a few names so that they meet. */
import { execFileSync } from "node:child_process";
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { collectChanges } from "../../src/changeset/collect-changes.ts";
import { takeSnapshot } from "../../src/changeset/snapshot.ts";
import type { Changeset } from "../../src/core/changeset.ts";
import { createRedactor } from "../../src/redaction/redactor.ts";
import { must, scratch } from "./changeset-places.ts";
import type { MemoryBlobs } from "./memory-blobs.ts";
import fc from "./property.ts";

export type Edit = (root: string) => void;
const name = fc.constantFrom("a", "b", "c");
const place = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
/** Edits of all sorts; those that cannot be done where they land do nothing. */
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, fc.constantFrom("", "x", "y")).map(([at, text]) => (root: string) => {
    mkdirSync(path.join(root, path.dirname(at)), { recursive: true });
    writeFileSync(path.join(root, at), text);
  }),
  place.map((at) => (root: string) => rmSync(path.join(root, at), { recursive: true })),
  place.map((at) => (root: string) => void mkdirSync(path.join(root, at), { recursive: true })),
  place.map((at) => (root: string) => {
    rmSync(path.join(root, at), { recursive: true, force: true });
    mkdirSync(path.join(root, at));
  }),
  fc.tuple(place, fc.constantFrom("a", "../b", "nowhere")).map(
    ([at, target]) =>
      (root: string) =>
        symlinkSync(target, path.join(root, at)),
  ),
  fc.tuple(place, place).map(
    ([from, to]) =>
      (root: string) =>
        renameSync(path.join(root, from), path.join(root, to)),
  ),
  fc.tuple(place, fc.constantFrom(0o644, 0o755)).map(([at, mode]) => (root: string) => {
    if (lstatSync(path.join(root, at)).isFile()) chmodSync(path.join(root, at), mode);
  }),
);
export const edits = fc.array(edit, { maxLength: 12 });

export function make(root: string, all: readonly Edit[]): void {
  for (const one of all) {
    try {
      one(root);
    } catch {
      // It does not fit this tree.
    }
  }
}

export function copyOf(root: string): string {
  const copy = path.join(scratch(), "copy");
  execFileSync("cp", ["-a", root, copy]);
  return copy;
}

/** What a directory becomes by edits, over a project and what lies over it, as changes. */
export async function collected(
  root: string,
  start: Changeset,
  directory: string,
  all: readonly Edit[],
  blobs: MemoryBlobs,
): Promise<Changeset> {
  const snapshot = must(await takeSnapshot(directory));
  make(directory, all);
  const source = { kind: "copy", directory, snapshot } as const;
  return must(await collectChanges({ root, start, source, isExcluded: () => false, blobs, redactor: createRedactor([]) })).changes;
}
