import { chmod, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { localBlobs } from "../../../src/blobs/local-blobs.ts";
import type { Digest } from "../../../src/core/digest.ts";
import { digestOfBytes } from "../../../src/core/digest.ts";
import { pinFiles, readPinned } from "../../../src/store/pinned-manifest.ts";
import { artifactStoreConformance } from "../../rig/artifact-store-conformance.ts";
import { must, stateDirectory, temporary } from "../../rig/state-rig.ts";

const fileOf = (stateDir: string, digest: Digest) => path.join(stateDir, "blobs", digest.replace(":", "/").replace(/\/(..)/, "/$1/"));

artifactStoreConformance("the local disk", async () => {
  const stateDir = stateDirectory();
  return {
    store: localBlobs(stateDir),
    damage: async (digest) => {
      await chmod(fileOf(stateDir, digest), 0o644);
      await writeFile(fileOf(stateDir, digest), "kepT");
    },
    remove: (digest) => rm(fileOf(stateDir, digest)),
  };
});

test("stores blobs as read-only files named by digest, without temporary files", async () => {
  const stateDir = stateDirectory();
  const store = localBlobs(stateDir);
  const { digest } = must(await store.put(Buffer.from("kept")));
  const file = fileOf(stateDir, digest);
  expect(must(await store.pathOf(digest))).toBe(file);
  expect((await stat(file)).mode & 0o777).toBe(0o444);
  expect(await readdir(path.dirname(file))).toEqual([path.basename(file)]);
  // Directories that are closed to other users are created together.
  expect((await readdir(stateDir)).sort()).toEqual([".gitignore", "blobs", "journals", "logs"]);
});

test("reports a directory that cannot store blobs", async () => {
  const stateDir = path.join(temporary(), "state");
  await writeFile(stateDir, "");
  expect(await localBlobs(stateDir).put(Buffer.from("x"))).toMatchObject({
    ok: false,
    error: { reason: "state-unwritable", code: "EEXIST" },
  });
});

test("reads pinned files back, with one digest for equal files in any order", async () => {
  const store = localBlobs(stateDirectory());
  const files = [
    ["wave.yaml", Buffer.from("steps: []\n")],
    [".wave/personas/a.md", Buffer.from("Work.")],
    ["__proto__", Buffer.from("odd")],
  ] as const;
  const digest = must(await pinFiles(store, new Map(files)));
  expect(must(await pinFiles(store, new Map(files.toReversed())))).toBe(digest);
  const pinned = must(await readPinned(store, digest));
  expect([...pinned].sort()).toEqual(files.map(([name, bytes]) => [name, digestOfBytes(bytes)]).sort());
  for (const [name, bytes] of files) expect(must(await store.get(pinned.get(name) ?? digest))).toEqual(bytes);
});

test("reports a blob that is not a list of pinned files as damage", async () => {
  const store = localBlobs(stateDirectory());
  for (const text of ["", "{}", '{"v":1,"files":{"a":"b"}}', '{"v":2,"files":{}}', "[]"]) {
    const { digest } = must(await store.put(Buffer.from(text)));
    expect(await readPinned(store, digest)).toMatchObject({ ok: false, error: { reason: "state-damaged", path: digest } });
  }
});
