import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { removeTree } from "../../../src/changeset/remove-tree.ts";
import { type EntryKind, entriesBelow, type WalkedEntry, walkTree } from "../../../src/platform/walk.ts";
import { usedBytes } from "../../../src/sandbox/disk-watch.ts";
import { pathFromBytes } from "../../../src/text/path-bytes.ts";
import { must, scratch } from "../../rig/changeset-places.ts";
import { asOrdinaryUser } from "../../rig/ordinary-user.ts";
import fc from "../../rig/property.ts";
import { edits, make } from "../../rig/random-edits.ts";

/** The same tree, read by plain recursion with `lstat` and names as bytes. */
function naive(place: Buffer, prefix: string, enter: (path: string) => boolean): { path: string; kind: EntryKind }[] {
  const names = readdirSync(place, { encoding: "buffer" }).map((bytes) => ({ bytes, name: pathFromBytes(bytes) }));
  return names
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ bytes, name }) => {
      const child = Buffer.concat([place, Buffer.from("/"), bytes]);
      const found = `${prefix}${name}`;
      const stats = lstatSync(child);
      const kind = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "symlink" : "other";
      return [{ path: found, kind }, ...(kind === "directory" && enter(found) ? naive(child, `${found}/`, enter) : [])];
    });
}

async function walked(root: string, enter?: (path: string) => boolean): Promise<{ path: string; kind: EntryKind }[]> {
  const found: { path: string; kind: EntryKind }[] = [];
  await walkTree(root, {
    visit: ({ path: place, kind }) => void found.push({ path: place, kind }),
    ...(enter === undefined ? {} : { enter: (directory) => enter(directory.path) }),
  });
  return found;
}

/** A chain of directories named `d`, created from the innermost outwards to avoid long paths. */
function chain(root: string, depth: number): void {
  const [inner, outer] = [path.join(root, "d"), path.join(root, "outer")];
  mkdirSync(inner);
  for (let level = 1; level < depth; level++) {
    mkdirSync(outer);
    renameSync(inner, path.join(outer, "d"));
    renameSync(outer, inner);
  }
}

const oddNames = [
  Buffer.from("plain"),
  Buffer.from("\xff", "latin1"),
  Buffer.from("\xfe", "latin1"),
  Buffer.from("\ufffd"),
  Buffer.from("ü"),
];

/** Random edits, and unusual names at the top as files or as directories with a file. */
const trees = fc.record({
  edits,
  odd: fc.array(fc.record({ name: fc.constantFrom(...oddNames), directory: fc.boolean() }), { maxLength: 6 }),
});

function grow(tree: { edits: Parameters<typeof make>[1]; odd: readonly { name: Buffer; directory: boolean }[] }): string {
  const root = scratch();
  make(root, tree.edits);
  for (const { name, directory } of tree.odd) {
    const place = Buffer.concat([Buffer.from(`${root}/`), name]);
    if (lstatSync(place, { throwIfNoEntry: false }) !== undefined) continue;
    if (directory) mkdirSync(place);
    writeFileSync(directory ? Buffer.concat([place, Buffer.from("/"), name]) : place, "odd");
  }
  return root;
}

describe("on random trees", () => {
  test("the walker visits the same entries as plain recursion, in the same order", async () => {
    await fc.assert(
      fc.asyncProperty(trees, async (tree) => {
        const root = grow(tree);
        expect(await walked(root)).toEqual(naive(Buffer.from(root), "", () => true));
        expect([...entriesBelow(root)].map(({ path: place, kind }) => ({ path: place, kind }))).toEqual(await walked(root));
      }),
      { numRuns: 100 },
    );
  });

  test("a directory that is not entered is visited, but no entry below it", async () => {
    await fc.assert(
      fc.asyncProperty(trees, fc.constantFrom("a", "b", "c"), async (tree, closed) => {
        const root = grow(tree);
        const enter = (place: string) => !place.endsWith(closed);
        expect(await walked(root, enter)).toEqual(naive(Buffer.from(root), "", enter));
      }),
      { numRuns: 50 },
    );
  });

  test("a directory is left once, after all entries below it", async () => {
    await fc.assert(
      fc.asyncProperty(trees, async (tree) => {
        const root = grow(tree);
        const open: string[] = [""];
        const left: string[] = [];
        const entered: string[] = [];
        await walkTree(root, {
          visit: ({ directory }) => expect(directory).toBe(open.at(-1)),
          enter: ({ path: place }) => entered.push(place) > 0 && open.push(place) > 0,
          leave: ({ path: place }) => {
            expect(open.pop()).toBe(place);
            left.push(place);
          },
        });
        expect(open).toEqual([""]);
        expect(left.sort()).toEqual(entered.sort());
      }),
      { numRuns: 50 },
    );
  });
});

test("symlinks are visited but never followed", async () => {
  const root = scratch();
  mkdirSync(path.join(root, "dir/inner"), { recursive: true });
  for (const [name, target] of [
    ["loop", "."],
    ["out", "/etc"],
    ["sibling", "dir"],
    ["dir/up", ".."],
    ["dangling", "nowhere"],
  ] as const)
    symlinkSync(target, path.join(root, name));
  expect(await walked(root)).toEqual([
    { path: "dangling", kind: "symlink" },
    { path: "dir", kind: "directory" },
    { path: "dir/inner", kind: "directory" },
    { path: "dir/up", kind: "symlink" },
    { path: "loop", kind: "symlink" },
    { path: "out", kind: "symlink" },
    { path: "sibling", kind: "symlink" },
  ]);
});

test("a walk may start below its root, and its paths stay relative to the root", () => {
  const root = scratch();
  mkdirSync(path.join(root, "a/b"), { recursive: true });
  writeFileSync(path.join(root, "a/b/file"), "");
  expect([...entriesBelow(root, { from: "a" })].map((entry) => entry.path)).toEqual(["a/b", "a/b/file"]);
});

describe("errors", () => {
  test.skipIf(process.geteuid?.() !== 0)("a directory without read permission is reported, counts as empty, and is left", async () => {
    const root = scratch();
    mkdirSync(path.join(root, "closed"));
    writeFileSync(path.join(root, "closed/file"), "");
    writeFileSync(path.join(root, "open"), "");
    chmodSync(path.join(root, "closed"), 0o700);
    const denied: unknown[] = [];
    const left: string[] = [];
    const found: string[] = [];
    await asOrdinaryUser(() =>
      walkTree(root, {
        visit: (entry) => void found.push(entry.path),
        leave: (entry) => void left.push(entry.path),
        onDenied: (place, { code }) => void denied.push([place, code]),
      }),
    );
    expect(found).toEqual(["closed", "open"]);
    expect(denied).toEqual([["closed", "EACCES"]]);
    expect(left).toEqual(["closed"]);
    await expect(asOrdinaryUser(() => walkTree(root, {}))).rejects.toMatchObject({ code: "EACCES" });
  });

  test("a directory that is removed or replaced before it is listed counts as empty", async () => {
    const root = scratch();
    for (const name of ["a", "b", "c"]) mkdirSync(path.join(root, name));
    writeFileSync(path.join(root, "c/file"), "");
    const found: string[] = [];
    await walkTree(root, {
      visit({ path: place }) {
        found.push(place);
        if (place === "a") rmSync(path.join(root, place), { recursive: true });
        if (place !== "b") return;
        rmSync(path.join(root, place), { recursive: true });
        writeFileSync(path.join(root, place), "now a file");
      },
      onDenied: () => expect.unreachable("nothing was denied"),
    });
    expect(found).toEqual(["a", "b", "c", "c/file"]);
  });

  test("a start that is missing or not a directory is an error", async () => {
    const root = scratch();
    writeFileSync(path.join(root, "file"), "");
    await expect(walkTree(root, { from: "missing" })).rejects.toMatchObject({ code: "ENOENT" });
    await expect(walkTree(root, { from: "file" })).rejects.toMatchObject({ code: "ENOTDIR" });
  });

  test("an error of a callback ends the walk", async () => {
    const root = scratch();
    for (const name of ["a", "b"]) writeFileSync(path.join(root, name), "");
    const found: WalkedEntry[] = [];
    const visit = async (entry: WalkedEntry) => {
      found.push(entry);
      throw new Error("stop");
    };
    await expect(walkTree(root, { visit })).rejects.toThrow("stop");
    expect(found).toHaveLength(1);
  });
});

test("a tree of 10,000 levels is walked to the longest path that the system supports, and can be removed", async () => {
  // In memory if possible: removing 10,000 directories takes 20 seconds on a slow disk.
  const root = existsSync("/dev/shm") ? mkdtempSync("/dev/shm/wave-deep-") : scratch();
  chain(root, 10_000);
  const denied: string[] = [];
  let deepest = "";
  await walkTree(root, {
    visit({ path: place }) {
      deepest = place;
    },
    onDenied: (place, { code }) => void denied.push(`${place.length} ${code}`),
  });
  expect(denied).toEqual([`${deepest.length} ENAMETOOLONG`]);
  expect(deepest.length).toBeGreaterThan(process.platform === "linux" ? 3900 : 800);
  must(await removeTree(path.join(root, "d")));
  expect(readdirSync(root)).toEqual([]);
  rmdirSync(root);
}, 60_000);

test("timers and signals are served during a long walk", async () => {
  const root = scratch();
  for (let at = 0; at < 3500; at++) writeFileSync(path.join(root, String(at)), "");
  let turns = 0;
  let isWalking = true;
  const turn = () => {
    turns += 1;
    if (isWalking) setImmediate(turn);
  };
  setImmediate(turn);
  await walkTree(root, {});
  isWalking = false;
  expect(turns).toBeGreaterThanOrEqual(3);
});

test("the disk limit counts files whose names are not UTF-8, and those beside them", () => {
  const root = scratch();
  for (const name of oddNames) writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), Buffer.alloc(8192, 1));
  expect(usedBytes([root])).toBeGreaterThanOrEqual(oddNames.length * 8192);
});
