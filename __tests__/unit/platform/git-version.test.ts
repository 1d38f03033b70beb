import { expect, test } from "vitest";
import { gitVersionIn, isOutdatedGit } from "../../../src/platform/git-version.ts";

test.each([
  ["git version 2.39.5\n", "2.39.5"],
  ["git version 2.39.3 (Apple Git-146)\n", "2.39.3"],
  ["git version 2.45.1.windows.1\n", "2.45.1.windows.1"],
  ["git version 2.30.0.rc1\n", "2.30.0.rc1"],
  ["a wrapper\ngit version 2.25.1\nhub version 2.14\n", "2.25.1"],
  ["git version unknown\n", undefined],
  ["", undefined],
])("reads the version in %j", (answer, version) => {
  expect(gitVersionIn(answer)).toBe(version);
});

test.each([
  ["1.8.3.1", true],
  ["2.9.5", true],
  ["2.29.3", true],
  ["2.30.0.rc1", false],
  ["2.30.2", false],
  ["2.100.0", false],
  ["3.0", false],
])("decides whether %s is outdated", (version, outdated) => {
  expect(isOutdatedGit(version)).toBe(outdated);
});
