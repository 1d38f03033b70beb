/** Tests which files `--force` overwrites. */
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { applyChangeset } from "../../../src/changeset/apply-changes.ts";
import type { Changeset } from "../../../src/core/changeset.ts";
import { rebaseOntoDisk } from "../../../src/engine/force-overwrite.ts";
import { memoryBlobs } from "../../rig/memory-blobs.ts";
import { fileState } from "../../rig/memory-changes.ts";
import { must } from "../../rig/state-rig.ts";

let root = "";

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "wave-overwrite-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const changes: Changeset = ["added", "changed", "gone"].map((name) => ({
  path: name,
  before: fileState("before"),
  ...(name === "gone" ? {} : { after: fileState("after") }),
}));

async function force(paths: readonly string[]) {
  const blobs = memoryBlobs();
  await blobs.put(Buffer.from("after"));
  const forced = await rebaseOntoDisk(root, changes, paths);
  return forced.ok ? applyChangeset({ root, changes: forced.value, blobs }) : forced;
}

test("only the named files, symlinks and missing paths are overwritten", async () => {
  symlinkSync("elsewhere", path.join(root, "changed"));
  writeFileSync(path.join(root, "gone"), "mine");
  expect(must(await force(["added", "changed", "gone"]))).toMatchObject({ kind: "applied", written: 2, deleted: 1 });
  expect(
    ["added", "changed"].map((name) => [lstatSync(path.join(root, name)).isFile(), readFileSync(path.join(root, name), "utf8")]),
  ).toEqual([
    [true, "after"],
    [true, "after"],
  ]);
  expect(() => lstatSync(path.join(root, "gone"))).toThrow("ENOENT");
  writeFileSync(path.join(root, "changed"), "mine");
  expect(must(await force(["added"]))).toEqual({ kind: "refused", paths: [expect.objectContaining({ path: "changed" })] });
});

test("a path that already has the new state is not written", async () => {
  writeFileSync(path.join(root, "changed"), "after");
  expect(must(await rebaseOntoDisk(root, changes, ["changed"])).map(({ path: name }) => name)).toEqual(["added", "gone"]);
});

test("directories and paths without a change are refused", async () => {
  mkdirSync(path.join(root, "changed"));
  const refused = {
    ok: false,
    error: { reason: "project-changed", paths: ["changed", "other"], hint: expect.stringContaining("move them away") },
  };
  expect(await rebaseOntoDisk(root, changes, ["changed", "gone", "other"])).toMatchObject(refused);
});
