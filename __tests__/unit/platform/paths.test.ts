import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { insideTest, isInside, relativeInside } from "../../../src/platform/paths.ts";

describe("isInside", () => {
  test.each([
    ["/a", "/a", true],
    ["/a", "/a/b", true],
    ["/a/", "/a/b/c", true],
    ["/", "/a", true],
    ["/", "/", true],
    ["/a", "/a/..b", true],
    ["/a", "/ab", false],
    ["/a", "/", false],
    ["/a/b", "/a", false],
    ["/a", "/a/../b", false],
    ["/a", "/a/b/../../c", false],
    ["/a", "/b/../a/c", true],
    ["/a", "a/b", false],
    ["a", "/a/b", false],
    ["/a", "", false],
  ])("returns for parent %s and child %s: %s", (parent, child, expected) => {
    expect(isInside(parent, child)).toBe(expected);
  });

  test("is never true in both directions for two different directories", () => {
    const directory = fc.array(fc.stringMatching(/^[a-z.]{1,3}$/), { maxLength: 4 }).map((names) => `/${names.join("/")}`);
    fc.assert(
      fc.property(directory, directory, (a, b) => {
        const same = relativeInside(a, b) === "";
        expect(isInside(a, b) && isInside(b, a)).toBe(same);
      }),
      { seed: 7 },
    );
  });
});

test("relativeInside returns the path below the parent and undefined outside it", () => {
  expect([relativeInside("/a", "/a/b/c"), relativeInside("/a", "/a"), relativeInside("/a", "/c")]).toEqual(["b/c", "", undefined]);
});

describe("insideTest", () => {
  test("matches the directory and paths below it, not names that share its prefix", () => {
    const test = insideTest("/p", "/p/.wave/state");
    expect([".wave/state", ".wave/state/x", ".wave/statement", ".wave", ""].map(test)).toEqual([true, true, false, false, false]);
  });

  test("matches no path when the directory is the root or outside it", () => {
    for (const directory of ["/p", "/", "/q"]) expect(["", "a", "p/a"].map(insideTest("/p", directory))).toEqual([false, false, false]);
  });
});
