import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { entryAt, openBaseIndex, saveBaseIndex } from "../../../src/workspace/base-index.ts";

let root: string;
let state: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "wave-index-"));
  state = path.join(root, "state");
  mkdirSync(state);
  writeFileSync(path.join(root, "a"), "content");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const minute = 60_000;

/** Computes the entry of `a` with the cache of a given time, and saves the cache. */
function look(nowMs: number): { hashed: number; remembered: string[]; oid: string | undefined } {
  const index = openBaseIndex(state, "sha1", nowMs);
  const entry = entryAt(root, "a", index);
  saveBaseIndex(state, index);
  return { hashed: index.hashed, remembered: [...index.next.keys()], oid: typeof entry === "object" ? entry.oid : undefined };
}

test("a file gets git's hash, and is not hashed again once it is stable", () => {
  const oid = execFileSync("git", ["hash-object", "a"], { cwd: root, encoding: "utf8" }).trim();
  expect(look(Date.now())).toEqual({ hashed: 1, remembered: [], oid });
  expect(readdirSync(state)).toEqual([]);
  expect(look(Date.now() + minute)).toEqual({ hashed: 1, remembered: ["a"], oid });
  expect(look(Date.now() + minute)).toEqual({ hashed: 0, remembered: ["a"], oid });
  expect(readdirSync(state).sort()).toEqual([".gitignore", "base-index.json"]);
});

test("a change is detected even if the size stays the same", () => {
  const { oid } = look(Date.now() + minute);
  writeFileSync(path.join(root, "a"), "CONTENT");
  const after = look(Date.now() + minute);
  expect(after).toMatchObject({ hashed: 1 });
  expect(after.oid).not.toBe(oid);
});

test("a cache that cannot be written is ignored", () => {
  rmSync(state, { recursive: true });
  expect(look(Date.now() + minute)).toMatchObject({ hashed: 1, remembered: ["a"] });
  expect(readdirSync(root)).toEqual(["a"]);
});
