import { expect, test } from "vitest";
import { pathPattern, subtreePattern, wildcard } from "../../../src/text/glob.ts";

const cases: readonly [pattern: string, matched: readonly string[], unmatched: readonly string[]][] = [
  ["**", ["a", "a/b", ".env", "src/.cache/x", ".github/x"], [".git", ".git/config", "sub/.git/HEAD"]],
  ["*", ["a", ".env", ".gitignore"], ["a/b", ".git"]],
  ["src/**", ["src", "src/a", "src/a/.b"], ["srcx", "a/src/b", "src/.git/config"]],
  ["src/", ["src/a", "src"], ["a"]],
  ["./src/*", ["src/a"], ["src/a/b"]],
  ["/src/*", ["src/a"], ["x/src/a"]],
  ["**/*.js", ["x.js", "a/b/x.js", ".hidden/x.js"], ["x.ts", ".git/x.js"]],
  ["*.JS", ["x.JS"], ["x.js"]],
  ["{a,b}/x", ["a/x", "b/x"], ["c/x"]],
  ["[ab]?", ["ax"], ["cx", "a"]],
  ["!keep", ["!keep"], ["other"]],
  ["app/(group)/x", ["app/(group)/x"], ["app/group/x"]],
  ["a\\*", ["a*"], ["ab"]],
  [".git/**", [".git", ".git/HEAD"], ["sub/.git/HEAD", "x"]],
  ["**/.git/**", [".git/HEAD", "sub/.git/HEAD"], ["x"]],
  [".g*", [".gx"], [".git"]],
];

test.each(cases)("path pattern %s matches the expected paths", (pattern, matched, unmatched) => {
  const matches = pathPattern(pattern);
  expect({ matched: matched.filter(matches), unmatched: unmatched.filter(matches) }).toEqual({ matched, unmatched: [] });
});

test("a subtree pattern matches everything below a match, including .git", () => {
  const paths = ["secrets", "secrets/a/b", "secretsx", "a/secrets", ".git/config"];
  expect(paths.filter(subtreePattern("secrets"))).toEqual(["secrets", "secrets/a/b"]);
  expect(paths.filter(subtreePattern("*"))).toEqual(paths);
  expect(paths.filter(subtreePattern("**"))).toEqual(paths);
});

test("a wildcard matches any characters, and is fast for hostile patterns", () => {
  expect(["git log -1 -- a/b", "git", "gitx log"].map(wildcard("git *"))).toEqual([true, false, false]);
  expect(["", "x"].map(wildcard("*"))).toEqual([true, true]);
  expect(["a.c", "abc", "ac"].map(wildcard("a.c"))).toEqual([true, false, false]);
  expect(["abc", "ac"].map(wildcard("a?c"))).toEqual([true, false]);
  expect(["abab", "aba"].map(wildcard("*ab"))).toEqual([true, false]);
  expect(wildcard(`${"*a".repeat(200)}*b`)("a".repeat(20_000))).toBe(false);
});
