/** Tests the changeset from a project in any state to earlier states of some of its paths. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { applyChangeset } from "../../../src/changeset/apply-changes.ts";
import { changesetTo } from "../../../src/changeset/diff-against.ts";
import type { Changeset } from "../../../src/core/changeset.ts";
import type { TreeEntry } from "../../../src/core/ports.ts";
import { must, scratch } from "../../rig/changeset-places.ts";
import { leafTree } from "../../rig/leaf-tree.ts";
import { type MemoryBlobs, memoryBlobs } from "../../rig/memory-blobs.ts";
import fc from "../../rig/property.ts";
import { collected, copyOf, type Edit, edits, make } from "../../rig/random-edits.ts";

/** The states that a changeset found at its paths. */
async function before(changes: Changeset, blobs: MemoryBlobs): Promise<Map<string, TreeEntry | undefined>> {
  const leaves = new Map<string, TreeEntry | undefined>();
  for (const { path: place, before: state } of changes) {
    if (state === undefined || !("digest" in state)) leaves.set(place, state);
    else leaves.set(place, { mode: state.mode, bytes: must(await blobs.get(state.digest)) });
  }
  return leaves;
}

async function goTo(root: string, leaves: ReadonlyMap<string, TreeEntry | undefined>): Promise<Changeset> {
  const blobs = memoryBlobs();
  const changes = must(await changesetTo({ root, entries: leaves, blobs }));
  expect(must(await applyChangeset({ root, changes, blobs })).kind).toBe("applied");
  return changes;
}

/** A changed project: its earlier state, its path, and the earlier states of the changed paths. */
async function changedBy(base: readonly Edit[], changing: readonly Edit[]) {
  const root = scratch();
  make(root, base);
  const work = copyOf(root);
  const blobs = memoryBlobs();
  const leaves = await before(await collected(root, [], work, changing, blobs), blobs);
  return { tree: leafTree(root), work, leaves };
}

test("restores the earlier states exactly after any change", async () => {
  await fc.assert(
    fc.asyncProperty(edits, edits, async (base, changing) => {
      const { tree, work, leaves } = await changedBy(base, changing);
      await goTo(work, leaves);
      expect(leafTree(work)).toEqual(tree);
    }),
    { numRuns: 60 },
  );
});

test("removes no path that is not mentioned, in any state of the project", async () => {
  await fc.assert(
    fc.asyncProperty(edits, edits, edits, async (base, changing, later) => {
      const { tree, work, leaves } = await changedBy(base, changing);
      make(work, later);
      const found = leafTree(work);
      await goTo(work, leaves);
      const left = leafTree(work);
      // An empty directory is only one while nothing is in it.
      const others = [...found].filter(([place, { mode }]) => !leaves.has(place) && mode !== "040000");
      for (const [place, state] of others) expect([place, left.get(place)]).toEqual([place, state]);
      for (const place of leaves.keys()) expect([tree.get(place), found.get(place)]).toContainEqual(left.get(place));
    }),
    { numRuns: 60 },
  );
});

describe("a path", () => {
  const file = (text: string): TreeEntry => ({ mode: "100644", bytes: Buffer.from(text) });

  test("with a directory of other files is skipped, unless all of them are removed", async () => {
    const root = scratch();
    for (const name of ["kept", "taken"]) {
      mkdirSync(path.join(root, name, "deep"), { recursive: true });
      writeFileSync(path.join(root, name, "deep/in"), "in");
    }
    const wanted = [
      ["kept", file("kept")],
      ["taken", file("taken")],
      ["taken/deep/in", undefined],
    ] as const;
    expect((await goTo(root, new Map(wanted))).map(({ path: place }) => place)).toEqual(["taken", "taken/deep/in"]);
    expect([...leafTree(root).keys()].sort()).toEqual(["kept/deep/in", "taken"]);
  });

  test("below a new symlink is skipped, and the symlink is not followed", async () => {
    const [root, outside] = [scratch(), scratch()];
    writeFileSync(path.join(outside, "in"), "theirs");
    symlinkSync(outside, path.join(root, "link"));
    expect(await goTo(root, new Map([["link/in", file("ours")]]))).toEqual([]);
    expect(await goTo(root, new Map([["link/in", undefined]]))).toEqual([]);
    expect(leafTree(outside).size).toBe(1);
  });

  test("that changesets may not contain is refused", async () => {
    const asked = changesetTo({ root: scratch(), entries: new Map([["../out", file("x")]]), blobs: memoryBlobs() });
    expect(await asked).toMatchObject({ ok: false, error: { reason: "changeset-refused", path: "../out" } });
  });
});
