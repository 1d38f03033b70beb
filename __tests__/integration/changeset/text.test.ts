/** Tests changesets with git: merged texts, and patches that real git applies. */
import { execFileSync } from "node:child_process";
import { lstatSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { localBlobs } from "../../../src/blobs/local-blobs.ts";
import { countsOf, encodeChangeset, reverse } from "../../../src/changeset/combine-changes.ts";
import { exportPatch } from "../../../src/changeset/export-patch.ts";
import { mergeChangesets } from "../../../src/changeset/merge-changes.ts";
import { mergeFilesWith } from "../../../src/changeset/merge-files.ts";
import { readChangeset } from "../../../src/changeset/read-changeset.ts";
import type { Changeset } from "../../../src/core/changeset.ts";
import { digestOfBytes } from "../../../src/core/digest.ts";
import { freshProject } from "../../rig/changeset-conformance.ts";
import { copyPlace, isState, must, scratch } from "../../rig/changeset-places.ts";
import { leafTree } from "../../rig/leaf-tree.ts";
import { memoryBlobs } from "../../rig/memory-blobs.ts";
import fc from "../../rig/property.ts";
import { collected, copyOf, edits, make } from "../../rig/random-edits.ts";

describe("merging texts", () => {
  const lines = (...changed: readonly (readonly [number, string])[]) => {
    const all = Array.from({ length: 30 }, (_, at) => `line ${at}`);
    for (const [at, text] of changed) all[at] = text;
    return Buffer.from(`${all.join("\n")}\n`);
  };

  async function merged(base: Uint8Array | undefined, ours: Uint8Array, theirs: Uint8Array) {
    const blobs = localBlobs(scratch());
    const [left, right] = [must(await blobs.put(ours)), must(await blobs.put(theirs))];
    const origin = base === undefined ? {} : { base: must(await blobs.put(base)).digest };
    const found = must(await mergeFilesWith(blobs)({ ...origin, ours: { label: "one", ...left }, theirs: { label: "two", ...right } }));
    return found.kind === "conflict" ? found : { text: Buffer.from(must(await blobs.get(found.digest))), size: found.size };
  }

  test("changes of different lines are merged and stored", async () => {
    const both = lines([2, "ours"], [25, "theirs"]);
    expect(await merged(lines(), lines([2, "ours"]), lines([25, "theirs"]))).toEqual({ text: both, size: both.length });
  });

  test("changes of the same lines are a conflict that names the steps", async () => {
    const found = await merged(lines(), lines([2, "ours"], [20, "x"]), lines([2, "theirs"], [20, "y"]));
    expect(found).toEqual({
      kind: "conflict",
      detail: expect.stringContaining("same lines"),
      hunk: "<<<<<<< one\nours\n||||||| before\nline 2\n=======\ntheirs\n>>>>>>> two",
    });
  });

  test("a long conflict is abbreviated", async () => {
    const long = (word: string) => Buffer.from(`${Array.from({ length: 500 }, (_, at) => `${word} ${at}`).join("\n")}\n`);
    const found = await merged(undefined, long("a"), long("b"));
    expect("hunk" in found && found.hunk?.split("\n").length).toBeLessThanOrEqual(40);
    expect("hunk" in found && found.hunk).toMatch(/^<<<<<<< one\n[\s\S]*more lines[\s\S]*\n>>>>>>> two$/);
  });

  test.each([
    ["NUL", Buffer.from("a\0b")],
    ["bytes that are no UTF-8", Buffer.from([0x61, 0xff, 0x0a])],
  ])("%s is a conflict without a hunk", async (_, bytes) => {
    expect(await merged(lines(), lines([2, "ours"]), bytes)).toEqual({
      kind: "conflict",
      detail: expect.stringContaining("not a text file"),
    });
  });

  test("a missing blob fails like the store", async () => {
    const blobs = localBlobs(scratch());
    const digest = digestOfBytes(Buffer.from("x"));
    const side = { label: "one", digest };
    expect(await mergeFilesWith(blobs)({ ours: side, theirs: side })).toMatchObject({ ok: false, error: { reason: "state-damaged" } });
  });

  test("concurrent steps over one project are merged", async () => {
    const root = freshProject();
    const blobs = localBlobs(scratch());
    const edit = async (script: string): Promise<Changeset> => {
      const attempt = await copyPlace.open({ root, blobs });
      attempt.edit(script);
      return must(await attempt.collect()).changes;
    };
    const [one, two] = [
      await edit("echo top | cat - run.sh > t; cat t > run.sh; rm t; echo 1 > new"),
      await edit("echo end >> run.sh; echo 2 > new; rm b.txt"),
    ];
    const sources = [
      { step: "one", builtOn: new Set<string>(), changes: one },
      { step: "two", builtOn: new Set<string>(), changes: two },
    ];
    const result = must(await mergeChangesets(sources, mergeFilesWith(blobs)));
    expect(result.conflicts).toMatchObject([{ path: "new", steps: ["one", "two"], hunk: expect.stringContaining(">>>>>>> two") }]);
    const script = result.changes.find(({ path: file }) => file === "run.sh")?.after;
    expect(script?.mode).toBe("100755");
    expect(script !== undefined && "digest" in script && Buffer.from(must(await blobs.get(script.digest))).toString()).toBe(
      "top\n#!/bin/sh\nend\n",
    );
  });
});

describe("patches", () => {
  async function patchOf(script: string) {
    const root = freshProject();
    const blobs = memoryBlobs();
    const attempt = await copyPlace.open({ root, blobs });
    attempt.edit(script);
    const { changes } = must(await attempt.collect());
    return { root, changes, patch: must(await exportPatch({ changes, blobs })).text, after: leafTree(attempt.dump(), isState), blobs };
  }

  /** Applies with real git, outside any repository. */
  function applied(root: string, patch: string): string {
    const copy = copyOf(root);
    execFileSync("rm", ["-rf", path.join(copy, ".git")]);
    execFileSync("git", ["apply", "--whitespace=nowarn", "-"], { cwd: copy, input: patch });
    return copy;
  }

  test.each([
    "echo more >> a.txt; rm b.txt; echo n > new; printf 'no newline' > dir/one",
    "chmod +x a.txt; chmod -x run.sh; echo more >> run.sh; : > nothing",
    "ln -sfn b.txt link; rm dangling; ln -s x new; rm b.txt; ln -s a.txt b.txt; rm dirlink; echo f > dirlink",
    "printf '\\0\\1' > binary; head -c 100000 /dev/urandom > random; printf '\\xe9t\\xe9\\n' > latin1; printf 'a\\r\\nb\\r\\n' > crlf",
    "echo 1 > 'sp ace'; echo 2 > $'new\\nline'; echo 3 > ./-dash; echo 4 > \"quo\\\"te'\"; echo 5 > $'raw\\xff\\xfe'; echo 6 > 'ünew'; echo 7 > $'tab\\t'",
    "rm 'sp ace' $'new\\nline' ./-dash $'raw\\xff\\xfe' ümlaut; mv $'dir\\xe9' moved",
    "rm -r dir; echo f > dir; rm a.txt; mkdir a.txt; echo f > a.txt/f",
    "echo '* text=auto eol=crlf' > .gitattributes; echo '* filter=lfs' >> .gitattributes; printf 'a\\nb\\n' > lines; echo '!lines' > .gitignore",
  ])("git applies them: %s", async (script) => {
    const { root, patch, after, changes, blobs } = await patchOf(script);
    expect(leafTree(applied(root, patch), isState)).toEqual(after);
    const back = must(await exportPatch({ changes: reverse(changes), blobs })).text;
    const there = applied(root, patch);
    execFileSync("git", ["apply", "--whitespace=nowarn", "-"], { cwd: there, input: back });
    expect(leafTree(there, isState)).toEqual(leafTree(root, isState));
  });

  test("empty directories are listed before the first file", async () => {
    const { patch } = await patchOf("rmdir empty; mkdir new; rm single/only; echo x > x");
    expect(patch.split("\n").slice(0, 4)).toEqual([
      '# removed empty directory: "empty"',
      '# empty directory: "new"',
      '# empty directory: "single"',
      expect.stringMatching(/^diff --git a\/single\/only b\/single\/only$/),
    ]);
  });

  test("an empty changeset is an empty patch", async () => {
    expect(must(await exportPatch({ changes: [], blobs: memoryBlobs() })).text).toBe("");
  });

  test("a user's git settings have no effect", async () => {
    const { changes, blobs, patch } = await patchOf("echo more >> a.txt; mv b.txt c.txt");
    const taste = {
      "diff.noprefix": "true",
      "color.ui": "always",
      "diff.renames": "copies",
      "diff.mnemonicPrefix": "true",
      "diff.context": "0",
    };
    const entries = Object.entries(taste);
    process.env["GIT_CONFIG_COUNT"] = String(entries.length);
    for (const [at, [key, value]] of entries.entries()) {
      process.env[`GIT_CONFIG_KEY_${at}`] = key;
      process.env[`GIT_CONFIG_VALUE_${at}`] = value;
    }
    try {
      expect(must(await exportPatch({ changes, blobs })).text).toBe(patch);
    } finally {
      delete process.env["GIT_CONFIG_COUNT"];
    }
  });

  test("reproduce any edits except empty directories", async () => {
    await fc.assert(
      fc.asyncProperty(edits, edits, async (base, first) => {
        const root = scratch();
        make(root, base);
        const blobs = memoryBlobs();
        const work = copyOf(root);
        const changes = await collected(root, [], work, first, blobs);
        const files = changes.filter(({ before, after }) => [before, after].some((state) => state !== undefined && "digest" in state));
        // git cannot inspect a path behind a symlink to itself, even to see that the link will be removed.
        if (files.length === 0 || files.some(({ path: file }) => lookFails(path.join(root, file)) === "ELOOP")) return;
        // git does not know empty directories, which are then in a file's way.
        const hollow = changes.filter(({ before }) => before?.mode === "040000").map(({ path: place }) => place);
        if (files.some(({ path: file, after }) => after !== undefined && hollow.some((place) => place.startsWith(`${file}/`)))) return;
        const copy = applied(root, must(await exportPatch({ changes, blobs })).text);
        const filesOf = (directory: string) => [...leafTree(directory)].filter(([, { mode }]) => mode !== "040000").sort();
        expect(filesOf(copy)).toEqual(filesOf(work));
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});

/** The error of inspecting a path; undefined whether it exists or not. */
function lookFails(file: string): string | undefined {
  try {
    lstatSync(file);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

describe("stored changesets", () => {
  test("are read, and other blobs are refused", async () => {
    const blobs = memoryBlobs();
    const { digest, size } = must(await blobs.put(Buffer.from("x")));
    const changes: Changeset = [{ path: "a", after: { mode: "100644", digest, size } }];
    const kept = must(await blobs.put(encodeChangeset(changes)));
    expect(must(await readChangeset(blobs, kept.digest))).toEqual(changes);
    expect(countsOf(changes)).toEqual({ added: 1, changed: 0, deleted: 0 });
    expect(await readChangeset(blobs, digest)).toMatchObject({
      ok: false,
      error: { reason: "state-damaged", detail: expect.stringContaining("JSON") },
    });
  });
});
