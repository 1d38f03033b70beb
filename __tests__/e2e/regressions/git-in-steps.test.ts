/** Git in steps: every layout of a repository behaves as a plain clone, and nothing of an attempt reaches the real repository. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { commitAll, gitIn } from "../../rig/git-traps.ts";
import { bytesOf, type LaidOut, repositoryLayouts } from "../../rig/repository-layouts.ts";
import { outsidePlace, type Scene, type SceneProject, sceneProject, scenes, sudoScene } from "../../rig/scenes.ts";
import { whyNoSudo } from "../../rig/sudo-user.ts";

const author = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@b", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@b" };

function manifest(command: string, contract?: string, more: Readonly<Record<string, unknown>> = {}): string {
  const handover = contract === undefined ? {} : { handover: { contract: { type: "test_suite", command: contract } } };
  return JSON.stringify({
    env: author,
    pipeline: { name: "p", steps: [{ id: "a", persona: "s", task: "x", ...handover }] },
    personas: { s: { adapter: "command", command: ["sh", "-euc", command] } },
    ...more,
  });
}

const readable = { "a.txt": "a\n", "sub/s.txt": "s\n", "other/o.txt": "o\n", ".gitignore": "**/.wave/state/\n" };

function laidOut(scene: Scene, text: string, layout: string): { readonly wave: SceneProject; readonly laid: LaidOut } {
  const wave = sceneProject(scene, { ...readable, "wave.yaml": text, "sub/wave.yaml": text });
  commitAll(wave.root);
  const beside = outsidePlace(scene);
  const laid = repositoryLayouts[layout]?.(wave.root, beside);
  if (laid === undefined) throw new Error(`there is no layout ${layout}`);
  wave.own(beside);
  return { wave, laid };
}

const shows = (root: string) => gitIn(root, "log", "--format=%s").trim().split("\n");
const modes = [
  ["in the sandbox", {}],
  ["with `sandbox: off`", { sandbox: "off" }],
] as const;
const noSudo = whyNoSudo();
const places: readonly (readonly [name: string, scene: Scene])[] = [
  ...scenes.map((scene) => [scene.name, scene] as const),
  ["no isolation at all", { name: "none", isolation: "none" }],
];

/** Every command that people use, with what it has to print; the commit is there for the contract too. */
const work = `
test -z "$(git status --short)"
top=$(git rev-parse --show-toplevel)
cd "$top"; git ls-files --error-unmatch -- "$OLDPWD/wave.yaml" >/dev/null; cd - >/dev/null
echo new >new.txt
git add -A
test "$(git diff --cached --name-only | wc -l)" = 1
git commit -qm step
git checkout -q -b branch
git tag marked
test -z "$(git status --short)"
test "$(git log -1 --format=%s)" = step
git stash list
git gc -q
`;
const contract =
  'test "$(git log -1 --format=%s)" = step && git rev-parse -q --verify marked && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m contract';

const rows = (name: string, scene: Scene) =>
  describe.each(modes)(`${name} %s`, (_mode, more) => {
    test.each(Object.keys(repositoryLayouts))("commits in %s work, and end with their attempt", async (layout) => {
      const { wave, laid } = laidOut(scene, manifest(work, contract, more), layout);
      const [before, log] = [bytesOf(laid.guarded), shows(laid.project)];
      const run = await wave.run(["run", "-C", laid.project]);
      expect(run.code, run.stdout + run.stderr).toBe(0);
      expect(bytesOf(laid.guarded)).toEqual(before);
      expect([shows(laid.project), readFileSync(path.join(laid.project, "new.txt"), "utf8")]).toEqual([log, "new\n"]);
      const changed = JSON.parse((await wave.run(["artifacts", "latest", "--changes", "--json", "-C", laid.project])).stdout) as {
        readonly changes: readonly { readonly path: string }[];
      };
      expect(changed.changes.map((change) => change.path)).toEqual(["new.txt"]);
    });
  });
for (const [name, scene] of places) rows(name, scene);
describe.skipIf(noSudo !== undefined)(noSudo === undefined ? "sudo" : `sudo: not tested, ${noSudo}`, () => rows(sudoScene.name, sudoScene));

/** By name: a clone of `source` at `place` that borrows objects; `beside` is an empty directory. */
const borrowers: Readonly<Record<string, (source: string, place: string, beside: string) => void>> = {
  "a shared clone": (source, place, beside) => void gitIn(beside, "clone", "-q", "--shared", source, place),
  "a clone with a reference": (source, place, beside) =>
    void gitIn(beside, "clone", "-q", "--reference", source, `file://${source}`, place),
  "a shared clone of a shared clone": (source, place, beside) => {
    gitIn(beside, "clone", "-q", "--shared", source, path.join(beside, "between"));
    gitIn(beside, "clone", "-q", "--shared", path.join(beside, "between"), place);
  },
  "a clone with a relative path": (source, place, beside) => {
    gitIn(beside, "clone", "-q", "--shared", source, place);
    const objects = path.join(place, ".git/objects");
    writeFileSync(path.join(objects, "info/alternates"), `${path.relative(objects, path.join(source, ".git/objects"))}\n`);
  },
  "a shared clone of a path that needs quotes": (source, place, beside) => {
    const odd = path.join(beside, 'a "b" c');
    gitIn(beside, "clone", "-q", source, odd);
    gitIn(beside, "clone", "-q", "--shared", odd, place);
  },
};

describe.each(places)("%s", (_name, scene) => {
  const borrowed = async (name: string, command: string, within = "") => {
    const wave = sceneProject(scene, {});
    const beside = outsidePlace(scene);
    const source = path.join(beside, "source");
    mkdirSync(source);
    for (const place of ["", "sub"]) {
      mkdirSync(path.join(source, place), { recursive: true });
      writeFileSync(path.join(source, place, "wave.yaml"), manifest(command));
    }
    writeFileSync(path.join(source, ".gitignore"), "**/.wave/state/\n");
    commitAll(source);
    borrowers[name]?.(source, path.join(wave.root, "clone"), beside);
    wave.own(beside);
    const before = bytesOf([beside]);
    const run = await wave.run(["run", "-C", path.join(wave.root, "clone", within)]);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(bytesOf([beside])).toEqual(before);
  };
  const command =
    'test -z "$(git log -1 2>&1 >/dev/null)"; git fsck; echo n >n.txt; git add n.txt; git commit -qm n; git log -2 --format=%s';

  test.each(Object.keys(borrowers))("%s finds the objects that it borrows", (name) => borrowed(name, command));

  test("a subdirectory of a shared clone finds the objects that it borrows", () => borrowed("a shared clone", command, "sub"));
});

const [first] = scenes as readonly [Scene, ...Scene[]];

test("a list of object directories shows no other directory", async () => {
  const wave = sceneProject(first, { ...readable });
  const secret = outsidePlace(first);
  writeFileSync(path.join(secret, "secret"), "s\n");
  writeFileSync(path.join(wave.root, "wave.yaml"), manifest(`test ! -e ${secret}/secret; echo done >done.txt`));
  commitAll(wave.root);
  writeFileSync(path.join(wave.root, ".git/objects/info/alternates"), `${secret}\n`);
  const run = await wave.run(["run"]);
  expect(run.code, run.stdout + run.stderr).toBe(0);
  expect(existsSync(path.join(wave.root, "done.txt"))).toBe(true);
});

test.each(["a linked work tree", "a subdirectory"])("a step with `file_read` rules sees no repository of %s", async (layout) => {
  const text = manifest("test ! -e new.txt; ! git log >/dev/null 2>&1; echo new >new.txt", undefined, {});
  const limited = JSON.parse(text) as { personas: { s: Record<string, unknown> } };
  limited.personas.s["permissions"] = { allow: ["file_read:**/*.txt", "file_read:*.txt"] };
  const { wave, laid } = laidOut(first, JSON.stringify(limited), layout);
  const run = await wave.run(["run", "-C", laid.project]);
  expect(run.code, run.stdout + run.stderr).toBe(0);
});
