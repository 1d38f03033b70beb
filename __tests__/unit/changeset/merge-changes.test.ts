import { describe, expect, test } from "vitest";
import { compose, entryOf, sortEntries } from "../../../src/changeset/combine-changes.ts";
import { type ChangeSource, mergeChangesets } from "../../../src/changeset/merge-changes.ts";
import type { MergeFiles } from "../../../src/changeset/merge-states.ts";
import type { Changeset, FileState } from "../../../src/core/changeset.ts";
import { digestOfBytes } from "../../../src/core/digest.ts";
import { ok } from "../../../src/core/result.ts";
import fc from "../../rig/property.ts";

const file = (text: string): FileState => ({ mode: "100644", digest: digestOfBytes(text), size: text.length });
const executable = (text: string): FileState => ({ ...file(text), mode: "100755" }) as FileState;
const link = (text: string): FileState => ({ ...file(text), mode: "120000" }) as FileState;
const empty: FileState = { mode: "040000" };

type States = Readonly<Record<string, readonly [FileState | undefined, FileState | undefined]>>;

function source(step: string, builtOn: readonly string[], states: States): ChangeSource {
  const entries = Object.entries(states).flatMap(([path, [before, after]]) => entryOf(path, before, after) ?? []);
  return { step, builtOn: new Set(builtOn), changes: sortEntries(entries) };
}

/** Returns the request as the merged text, so that tests see it. */
const merging: MergeFiles = async ({ base, ours, theirs }) => {
  const text = `${base}|${ours.label}:${ours.digest}|${theirs.label}:${theirs.digest}`;
  return ok({ kind: "merged", digest: digestOfBytes(text), size: text.length });
};
const clashing: MergeFiles = async ({ ours, theirs }) =>
  ok({ kind: "conflict", detail: "lines", hunk: `<<<<<<< ${ours.label} ${theirs.label}` });

async function merge(sources: readonly ChangeSource[], mergeFiles: MergeFiles = clashing) {
  const merged = await mergeChangesets(sources, mergeFiles);
  if (!merged.ok) throw new Error(merged.error.reason);
  return merged.value;
}

describe("consecutive steps", () => {
  test("keep the last state and the first state before", async () => {
    const merged = await merge([
      source("a", [], { f: [file("0"), file("1")], g: [undefined, file("g")] }),
      source("b", ["a"], { f: [file("1"), file("2")], g: [file("g"), undefined] }),
    ]);
    expect(merged).toEqual({ changes: [{ path: "f", before: file("0"), after: file("2") }], conflicts: [] });
  });

  test("merge to the same result as composing them", async () => {
    const states = fc.constantFrom<FileState | undefined>(undefined, file("a"), file("b"), executable("a"), link("a"));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(states, states), { minLength: 1, maxLength: 6 }), async (trees) => {
        const steps = trees.slice(1).map(([p, q], at) =>
          source(`s${at}`, [...Array(at).keys()].map((before) => `s${before}`), { p: [trees[at]?.[0], p], q: [trees[at]?.[1], q] }),
        ); // biome-ignore format: one step a tree
        const composed = steps.reduce<Changeset>((all, { changes }) => compose(all, changes), []);
        expect(await merge(steps)).toEqual({ changes: composed, conflicts: [] });
      }),
    );
  });
});

describe("concurrent steps", () => {
  test("merge without conflict at different paths and with equal states", async () => {
    const merged = await merge([
      source("a", [], { f: [undefined, file("f")], same: [file("0"), file("1")], gone: [file("0"), undefined] }),
      source("b", [], { g: [undefined, link("g")], same: [file("0"), file("1")], gone: [file("0"), undefined] }),
    ]);
    expect(merged.conflicts).toEqual([]);
    expect(merged.changes.map(({ path }) => path)).toEqual(["f", "g", "gone", "same"]);
  });

  test("merge two texts over their common state, with the steps' names", async () => {
    const merged = await merge(
      [source("a", [], { f: [file("0"), file("1")] }), source("b", [], { f: [file("0"), executable("2")] })],
      merging,
    );
    const text = `${digestOfBytes("0")}|a:${digestOfBytes("1")}|b:${digestOfBytes("2")}`;
    expect(merged.changes).toEqual([{ path: "f", before: file("0"), after: { ...executable(text) } }]);
  });

  test("merge a mode and a text without merging texts", async () => {
    const merged = await merge([source("a", [], { f: [file("0"), executable("0")] }), source("b", [], { f: [file("0"), file("2")] })]);
    expect(merged).toEqual({ changes: [{ path: "f", before: file("0"), after: executable("2") }], conflicts: [] });
  });

  test("merge two added texts without a base", async () => {
    const merged = await merge([source("a", [], { f: [undefined, file("1")] }), source("b", [], { f: [undefined, file("2")] })], merging);
    expect(merged.changes[0]?.after).toEqual(file(`undefined|a:${digestOfBytes("1")}|b:${digestOfBytes("2")}`));
  });

  test("use the state of the step that both build on as the base", async () => {
    const merged = await merge(
      [
        source("a", [], { f: [file("0"), file("1")] }),
        source("b", ["a"], { f: [file("1"), file("2")] }),
        source("c", ["a"], { f: [file("1"), file("3")] }),
      ],
      merging,
    );
    const text = `${digestOfBytes("1")}|b:${digestOfBytes("2")}|c:${digestOfBytes("3")}`;
    expect(merged.changes).toEqual([{ path: "f", before: file("0"), after: file(text) }]);
  });

  test("prefer a change over a step that reverted it without the other seeing it", async () => {
    const merged = await merge([
      source("a", [], { f: [file("0"), file("1")] }),
      source("b", ["a"], { f: [file("1"), file("0")] }),
      source("c", [], { f: [file("0"), file("2")] }),
    ]);
    expect(merged).toEqual({ changes: [{ path: "f", before: file("0"), after: file("2") }], conflicts: [] });
  });

  test("use their common upstream's state as the base if they found different states", async () => {
    const merged = await merge(
      [
        source("a", [], { f: [file("0"), file("1")] }),
        source("b", ["a"], { f: [file("1"), file("2")] }),
        source("c", ["a", "b"], { f: [file("2"), file("3")] }),
        source("d", ["a"], { f: [file("1"), file("4")] }),
      ],
      merging,
    );
    const text = `${digestOfBytes("1")}|c:${digestOfBytes("3")}|d:${digestOfBytes("4")}`;
    expect(merged.changes[0]?.after).toEqual(file(text));
  });

  test("leave the result to a step that builds on both", async () => {
    const merged = await merge([
      source("a", [], { f: [file("0"), file("1")] }),
      source("b", [], { f: [file("0"), file("2")] }),
      source("c", ["a", "b"], { f: [file("12"), file("3")] }),
    ]);
    expect(merged).toEqual({ changes: [{ path: "f", before: file("0"), after: file("3") }], conflicts: [] });
  });

  test("merge three states one after the other", async () => {
    const sources = ["a", "b", "c"].map((step) => source(step, [], { f: [file("0"), file(step)] }));
    const first = file(`${digestOfBytes("0")}|a:${digestOfBytes("a")}|b:${digestOfBytes("b")}`);
    const second = `${digestOfBytes("0")}|a+b:${"digest" in first ? first.digest : ""}|c:${digestOfBytes("c")}`;
    expect((await merge(sources, merging)).changes[0]?.after).toEqual(file(second));
  });

  test("fill a directory that one left empty and another filled", async () => {
    const left = source("a", [], { "d/f": [file("f"), undefined], d: [undefined, empty] });
    const filled = source("b", [], { "d/g": [undefined, file("g")] });
    for (const sources of [
      [left, filled],
      [filled, left],
    ]) {
      // biome-ignore format: two orders
      const merged = await merge(sources);
      expect(merged.conflicts).toEqual([]);
      expect(merged.changes).toEqual(sortEntries([{ path: "d/f", before: file("f") }, { path: "d/g", after: file("g") }])); // biome-ignore format: two entries
    }
  });
});

describe("conflicts", () => {
  test.each<[string, FileState | undefined, FileState | undefined, FileState | undefined, RegExp]>([
    ["text and text", file("0"), file("1"), file("2"), /lines/],
    ["deletion and change", file("0"), undefined, file("2"), /deleted it, the second changed it/],
    ["change and deletion", file("0"), file("1"), undefined, /changed it, the second deleted it/],
    ["symlink and file", undefined, link("1"), file("2"), /symlink/],
    ["symlink and symlink", link("0"), link("1"), link("2"), /different targets/],
    ["modes of one new text", undefined, file("1"), executable("1"), /executable/],
    ["directory and file", undefined, empty, file("1"), /directory of it, the second added/],
  ])("%s", async (_, base, ours, theirs, detail) => {
    const merged = await merge([source("a", [], { f: [base, ours] }), source("b", [], { f: [base, theirs] })]);
    expect(merged.conflicts).toMatchObject([{ path: "f", steps: ["a", "b"], detail: expect.stringMatching(detail) }]);
  });

  test("contain the hunk", async () => {
    const merged = await merge([source("a", [], { f: [file("0"), file("1")] }), source("b", [], { f: [file("0"), file("2")] })]);
    expect(merged.conflicts[0]?.hunk).toBe("<<<<<<< a b");
  });

  test("arise from a file where another step needs a directory", async () => {
    const merged = await merge([source("a", [], { x: [undefined, file("1")] }), source("b", [], { "x/y/z": [undefined, file("2")] })]);
    expect(merged.conflicts).toMatchObject([{ path: "x", steps: ["a", "b"], detail: expect.stringContaining("`x/y/z`") }]);
  });

  test("name only the two conflicting steps", async () => {
    const merged = await merge([
      source("a", [], { f: [file("0"), file("1")] }),
      source("b", [], { g: [file("0"), file("1")] }),
      source("c", [], { f: [file("0"), undefined] }),
    ]);
    expect(merged.conflicts.map(({ steps }) => steps)).toEqual([["a", "c"]]);
  });
});

test("the merge fails like the blob store", async () => {
  const failing: MergeFiles = async () => ({ ok: false, error: { reason: "state-damaged", path: "x", detail: "gone" } });
  const sources = ["a", "b"].map((step) => source(step, [], { f: [file("0"), file(step)] }));
  expect(await mergeChangesets(sources, failing)).toMatchObject({ ok: false, error: { reason: "state-damaged" } });
});

describe("concurrent steps that started from different versions of a file", () => {
  test.each<[string, FileState | undefined, FileState | undefined]>([
    ["content", file("0"), file("edited")],
    ["mode", file("0"), executable("0")],
    ["presence", undefined, file("edited")],
  ])("are in conflict in either order (%s)", async (_, one, other) => {
    for (const [first, second] of [
      [one, other],
      [other, one],
    ]) {
      const merged = await merge([source("a", [], { f: [first, file("a")] }), source("b", [], { f: [second, file("b")] })], merging);
      expect(merged.conflicts).toEqual([
        { path: "f", steps: ["a", "b"], detail: "they started from different versions of it in the project" },
      ]);
    }
  });

  test("are not in conflict over an empty directory", async () => {
    const merged = await merge([source("a", [], { d: [empty, undefined] }), source("b", [], { d: [undefined, empty] })]);
    expect(merged.conflicts).toEqual([]);
  });
});
