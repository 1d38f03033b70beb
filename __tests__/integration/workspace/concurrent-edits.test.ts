/**
 * Tests random edits of the project by something else while an attempt works. None of them may be lost: applied changes
 * keep every state that the edits left, and changes that cannot keep them are not applied at all.
 */
import { execFileSync } from "node:child_process";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { applyChangeset } from "../../../src/changeset/apply-changes.ts";
import { takeProjectStart } from "../../../src/changeset/project-start.ts";
import { readBase } from "../../../src/workspace/base.ts";
import { copyPlace, isState, must, type Place, places, removeScratch, scratch } from "../../rig/changeset-places.ts";
import { type LeafTree, leafTree } from "../../rig/leaf-tree.ts";
import { memoryBlobs } from "../../rig/memory-blobs.ts";
import fc from "../../rig/property.ts";
import { copyOf } from "../../rig/random-edits.ts";

const name = fc.constantFrom("a", "b", "c");
const file = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const text = fc.constantFrom("one", "two", "three");

/** Edits as shell lines. Those that are impossible in a tree do nothing. */
const edit = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(file, text).map(([at, content]) => `mkdir -p ${path.posix.dirname(at)} && printf ${content} > ${at}`) },
  { weight: 2, arbitrary: fc.tuple(file, text).map(([at, content]) => `[ ! -f ${at} ] || printf ${content} >> ${at}`) },
  { weight: 2, arbitrary: file.map((at) => `rm -r ${at}`) },
  fc.tuple(file, text).map(([at, content]) => `printf ${content} > .new && mv -T .new ${at} || rm -f .new`),
  fc.tuple(file, fc.constantFrom("+x", "-x")).map(([at, bit]) => `[ ! -f ${at} ] || [ -L ${at} ] || chmod ${bit} ${at}`),
  fc.tuple(file, name).map(([at, target]) => `ln -sfT ${target} ${at}`),
  fc.tuple(file, file).map(([from, to]) => `mv -T ${from} ${to}`),
  file.map((at) => `rm -r ${at}; mkdir -p ${at}`),
  file.map((at) => `touch -c ${at}`),
);
const edits = fc.array(edit, { maxLength: 5 });

function run(directory: string, lines: readonly string[]): void {
  execFileSync("bash", ["-c", [...lines.map((line) => `{ ${line}; } 2>/dev/null`), "true"].join("\n")], {
    cwd: directory,
    stdio: "ignore",
  });
}

/** Every file and symlink in which two trees differ. Empty directories do not count. */
function differing(a: LeafTree, b: LeafTree): string[] {
  const state = (tree: LeafTree, at: string) => {
    const leaf = tree.get(at);
    return leaf === undefined || !("digest" in leaf) ? "nothing" : `${leaf.mode} ${leaf.digest}`;
  };
  return [...new Set([...a.keys(), ...b.keys()])].filter((at) => state(a, at) !== state(b, at));
}

interface Scene {
  readonly initial: readonly string[];
  readonly step: readonly string[];
  readonly user: readonly string[];
  readonly kind: "committed" | "edited since" | "without git";
}

const scene: fc.Arbitrary<Scene> = fc.record({
  initial: fc.array(edit, { maxLength: 8 }),
  step: edits,
  user: edits,
  kind: fc.constantFrom("committed", "edited since", "without git"),
});

function makeProject({ initial, kind }: Scene): string {
  const root = path.join(scratch(), "project");
  execFileSync("mkdir", ["-p", path.join(root, ".wave/state")]);
  const setUp = ["mkdir a", "printf f > a/a", "printf g > b", ...initial];
  run(root, setUp);
  if (kind === "without git") return root;
  run(root, ["git init -q", "git add -A -- ':!.wave'", "git -c user.name=t -c user.email=t@t commit -qm base"]);
  if (kind === "edited since") run(root, ["printf dirty > b", "mkdir -p c; printf untracked > c/c"]);
  return root;
}

/** The outcome and all trees: before, after the step alone, after the user alone, and at the end. */
async function play(place: Place, given: Scene) {
  const root = makeProject(given);
  const { files } = must(await readBase(root, path.join(root, ".wave/state"), new Map()));
  const project = await takeProjectStart({ root, directory: scratch(), files });
  const base = leafTree(root, isState);
  const alone = copyOf(root);
  run(alone, given.step);
  const blobs = memoryBlobs();
  const attempt = await place.open({ root, blobs, project });
  attempt.edit(given.step.map((line) => `{ ${line}; } 2>/dev/null || true`).join("\n") || "true");
  run(root, given.user);
  const user = leafTree(root, isState);
  const collected = await attempt.collect();
  const applied = collected.ok ? await applyChangeset({ root, changes: collected.value.changes, blobs }) : collected;
  const outcome = applied.ok ? applied.value.kind : applied.error.reason;
  const trees = { base, step: leafTree(alone, isState), user, end: leafTree(root, isState) };
  removeScratch();
  return { outcome, ...trees };
}

describe.each(places)("$name", (place) => {
  test("loses no edit, whatever both sides do", async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (given) => {
        const { outcome, base, step, user, end } = await play(place, given);
        expect(["applied", "refused", "project-changed"]).toContain(outcome);
        if (outcome !== "applied") {
          expect(end).toEqual(user);
          expect(differing(base, user)).not.toEqual([]);
          return;
        }
        const [byUser, byStep] = [differing(base, user), differing(base, step)];
        expect({ lost: differing(user, end).filter((at) => byUser.includes(at)) }).toEqual({ lost: [] });
        expect({ notApplied: differing(step, end).filter((at) => byStep.includes(at) && !byUser.includes(at)) }).toEqual({
          notApplied: [],
        });
      }),
      { numRuns: place === copyPlace ? 60 : 40 },
    );
  }, 300_000);

  test("applies a changeset despite edits at other paths", async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (given) => {
        const within = (directory: string, lines: readonly string[]) => [`mkdir -p ${directory}; cd ${directory}`, ...lines, "cd .."];
        const setUp = [...within("s", given.initial), ...within("u", given.initial)];
        const { outcome } = await play(place, {
          kind: given.kind,
          initial: setUp,
          step: within("s", given.step),
          user: within("u", given.user),
        });
        expect(outcome).toBe("applied");
      }),
      { numRuns: 25 },
    );
  }, 300_000);
});
