import { describe, expect, test } from "vitest";
import {
  compose,
  countsOf,
  decodeChangeset,
  encodeChangeset,
  entryOf,
  reverse,
  sortEntries,
} from "../../../src/changeset/combine-changes.ts";
import type { Changeset, FileState } from "../../../src/core/changeset.ts";
import { digestOfBytes } from "../../../src/core/digest.ts";
import { isPathSafe, pathFromBytes } from "../../../src/text/path-bytes.ts";
import fc from "../../rig/property.ts";

const file = (text: string): FileState => ({ mode: "100644", digest: digestOfBytes(text), size: text.length });
const state = fc.constantFrom<FileState>(
  file("a"),
  file("b"),
  { ...file("a"), mode: "100755" } as FileState,
  { ...file("t"), mode: "120000" } as FileState,
  { mode: "040000" },
);

type Tree = ReadonlyMap<string, FileState>;
/** Trees over a few names, so that edits collide. Entries below other entries are dropped. */
const tree: fc.Arbitrary<Tree> = fc
  .dictionary(
    fc.array(fc.constantFrom("a", "b", "ü"), { minLength: 1, maxLength: 3 }).map((names) => names.join("/")),
    state,
  )
  .map((leaves) => {
    const kept = Object.entries(leaves).filter(([path]) => !Object.keys(leaves).some((other) => path.startsWith(`${other}/`)));
    return new Map(kept);
  });

function between(a: Tree, b: Tree): Changeset {
  const paths = new Set([...a.keys(), ...b.keys()]);
  return sortEntries([...paths].flatMap((path) => entryOf(path, a.get(path), b.get(path)) ?? []));
}

describe("combining changesets", () => {
  test("a composition does the same as both changesets in sequence", () => {
    fc.assert(
      fc.property(tree, tree, tree, (a, b, c) => {
        expect(compose(between(a, b), between(b, c))).toEqual(between(a, c));
      }),
    );
  });

  test("composing with the reverse cancels out, and the reverse swaps both states", () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const changes = between(a, b);
        expect(reverse(changes)).toEqual(between(b, a));
        expect(compose(changes, reverse(changes))).toEqual([]);
        expect(reverse(reverse(changes))).toEqual(changes);
      }),
    );
  });

  test("counts added, changed and deleted paths", () => {
    const changes = between(new Map([["a", file("a")], ["b", file("a")]]), new Map([["b", file("b")], ["c/d", file("d")], ["e", file("")]])); // biome-ignore format: one tree a side
    expect(countsOf(changes)).toEqual({ added: 2, changed: 1, deleted: 1 });
  });
});

describe("changesets as bytes", () => {
  test("are decoded unchanged", () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const changes = between(a, b);
        expect(decodeChangeset(encodeChangeset(changes))).toEqual({ ok: true, value: changes });
      }),
    );
  });

  test("keep names that are not UTF-8", () => {
    const changes: Changeset = [{ path: pathFromBytes(Uint8Array.of(0x61, 0xff, 0xfe)), after: file("a") }];
    expect(decodeChangeset(encodeChangeset(changes))).toEqual({ ok: true, value: changes });
  });

  const good = { path: "a", after: { mode: "100644", digest: digestOfBytes(""), size: 0 } };
  const withPath = (path: string) => [{ ...good, path }];
  test.each<[string, unknown]>([
    ["an absolute path", withPath("/a")],
    ["a parent", withPath("a/../b")],
    ["a dot", withPath("./a")],
    ["an empty segment", withPath("a//b")],
    ["an empty path", withPath("")],
    ["a slash at the end", withPath("a/")],
    ["NUL", withPath("a\0b")],
    ["a repository's inside", withPath("a/.git/config")],
    [".git by another case", withPath(".GIT/hooks/x")],
    [".git with characters that HFS+ ignores", withPath(".g\u200cit/hooks/x")],
    [".git as NTFS shortens it", withPath("GIT~1/hooks/x")],
    [".git with an end that Windows drops", withPath(".git . /x")],
    ["another spelling of a name", withPath("\udcc3\udca9")],
    ["half a character", withPath("\ud83d")],
    ["a path twice", [good, good]],
    ["no order", [{ ...good, path: "b" }, good]],
    ["a file that is a directory too", [good, { ...good, path: "a/b" }]],
    ["a bad digest", [{ path: "a", after: { mode: "100644", digest: "sha256:../../x", size: 0 } }]],
    ["a bad size", [{ path: "a", after: { ...good.after, size: -1 } }]],
    ["a bad mode", [{ path: "a", after: { ...good.after, mode: "104755" } }]],
    ["a directory with content", [{ path: "a", after: { ...good.after, mode: "040000" } }]],
    ["no change", [{ ...good, before: good.after }]],
    ["no state", [{ path: "a" }]],
    ["no path", [{ after: good.after }]],
    ["no entry", [null]],
    ["no list", {}],
  ])("are refused with %s", (_, entries) => {
    expect(decodeChangeset(Buffer.from(JSON.stringify({ version: 1, entries })))).toMatchObject({ ok: false });
  });

  test.each(["", "{", "[]", "null", '{"version":2,"entries":[]}', "\xff"])("are refused when they are %j", (text) => {
    expect(decodeChangeset(Buffer.from(text, "latin1"))).toMatchObject({ ok: false, error: expect.any(String) });
  });

  test("accept ordinary names that look odd", () => {
    for (const path of [".github/a", ".gitignore", ".gitmodules", "...", "a b", "-x", "a\nb", "git", "a.git/x", "a\\b", "~"]) {
      expect([path, isPathSafe(path, "linux")]).toEqual([path, true]);
    }
    expect(isPathSafe("a\\..\\b", "win32")).toBe(false);
    expect(isPathSafe("c:x", "win32")).toBe(false);
  });
});
