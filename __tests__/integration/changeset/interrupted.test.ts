/** Tests an apply that dies at any point: every call that changes the disk may be the last one. */
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";

import { expect, test, vi } from "vitest";
import { applyChangeset } from "../../../src/changeset/apply-changes.ts";
import { reverse } from "../../../src/changeset/combine-changes.ts";
import type { Changeset } from "../../../src/core/changeset.ts";
import { must, scratch } from "../../rig/changeset-places.ts";
import { leafTree } from "../../rig/leaf-tree.ts";
import { type MemoryBlobs, memoryBlobs } from "../../rig/memory-blobs.ts";
import fc from "../../rig/property.ts";
import { collected, copyOf, edits, make } from "../../rig/random-edits.ts";

const life = vi.hoisted(() => ({ calls: Number.POSITIVE_INFINITY }));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const mortal =
    <A extends unknown[], R>(call: (...args: A) => R) =>
    (...args: A): R => {
      if (life.calls-- <= 0) throw Object.assign(new Error("died"), { code: "EIO" });
      return call(...args);
    };
  const calls = ["unlinkSync", "rmdirSync", "renameSync", "mkdirSync", "symlinkSync", "writeSync", "fchmodSync"] as const;
  return { ...fs, ...Object.fromEntries(calls.map((name) => [name, mortal(fs[name] as (...args: unknown[]) => unknown)])) };
});

/** Applies, and dies after some calls. Returns how many were left. */
async function dying(root: string, changes: Changeset, blobs: MemoryBlobs, calls: number): Promise<boolean> {
  life.calls = calls;
  try {
    return !(await applyChangeset({ root, changes, blobs })).ok;
  } finally {
    life.calls = Number.POSITIVE_INFINITY;
  }
}

test("an interrupted apply is completed by applying again, and reverted by the reverse", async () => {
  let deaths = 0;
  await fc.assert(
    fc.asyncProperty(edits, edits, fc.nat(25), async (base, first, calls) => {
      const root = scratch();
      make(root, base);
      const blobs = memoryBlobs();
      const work = copyOf(root);
      const changes = await collected(root, [], work, first, blobs);
      const [completed, undone] = [copyOf(root), copyOf(root)];
      for (const target of [completed, undone]) if (await dying(target, changes, blobs, calls)) deaths++;
      if (await dying(completed, changes, blobs, calls)) deaths++;
      expect(must(await applyChangeset({ root: completed, changes, blobs }))).toMatchObject({ kind: "applied" });
      expect(leafTree(completed)).toEqual(leafTree(work));
      expect(must(await applyChangeset({ root: undone, changes: reverse(changes), blobs }))).toMatchObject({ kind: "applied" });
      expect(leafTree(undone)).toEqual(leafTree(root));
    }),
    // The same points of death each time, so that they can be counted.
    { numRuns: 150, seed: 20 },
  );
  expect(deaths).toBeGreaterThan(50);
}, 120_000);

test("a directory that became a symlink to itself is restored after an interruption at any point", async () => {
  for (let calls = 0; calls <= 25; calls++) {
    const root = scratch();
    mkdirSync(path.join(root, "a/a/a"), { recursive: true });
    const blobs = memoryBlobs();
    const work = copyOf(root);
    const loop = (tree: string) => {
      rmSync(path.join(tree, "a"), { recursive: true });
      symlinkSync("a", path.join(tree, "a"));
    };
    const changes = await collected(root, [], work, [loop], blobs);
    const [completed, undone] = [copyOf(root), copyOf(root)];
    for (const target of [completed, undone]) await dying(target, changes, blobs, calls);
    expect(must(await applyChangeset({ root: completed, changes, blobs }))).toMatchObject({ kind: "applied" });
    expect(leafTree(completed)).toEqual(leafTree(work));
    expect(must(await applyChangeset({ root: undone, changes: reverse(changes), blobs }))).toMatchObject({ kind: "applied" });
    expect(leafTree(undone)).toEqual(leafTree(root));
  }
});
