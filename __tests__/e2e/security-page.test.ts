/** docs/security.md names a test for each guarantee: the files exist, and each holds tests. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { repository } from "../rig/project.ts";

const page = readFileSync(path.join(repository, "docs/security.md"), "utf8");
const rows = page
  .split("## Guarantees")[1]
  ?.split("## Limits")[0]
  ?.split("\n")
  .filter((line) => line.startsWith("| ") && !/^\| (?:guarantee|---)/.test(line));

test.each(
  rows?.map(
    (row) => [row.split("|")[1]?.trim() ?? "", [...row.matchAll(/`([\w/-]+\.test\.ts)`/g)].map(([, file]) => file ?? "")] as const,
  ) ?? [],
)("a test shows: %s", (_guarantee, files) => {
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const place = path.join(repository, "__tests__", file);
    expect(existsSync(place), file).toBe(true);
    expect(readFileSync(place, "utf8")).toMatch(/\b(?:test|it)(?:\.\w+)*\(/);
  }
});

test("the page has guarantees", () => {
  expect(rows?.length).toBeGreaterThan(15);
});
