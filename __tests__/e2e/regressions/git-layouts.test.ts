/** Layouts of repositories: each behaves as a plain clone in a step, and nothing of an attempt reaches the real repository. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { commitAll, gitIn } from "../../rig/git-traps.ts";
import { bytesOf, type LaidOut, repositoryLayouts, treeOf } from "../../rig/repository-layouts.ts";
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
  for (const place of [beside, wave.root]) wave.own(place);
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
    test.each(Object.keys(repositoryLayouts))("a failed step leaves the repository of %s as it was", async (layout) => {
      const { wave, laid } = laidOut(
        scene,
        manifest("echo n >n; git add n; git commit -qm leaked; git tag leaked; exit 1", undefined, more),
        layout,
      );
      const [before, log] = [bytesOf(laid.guarded), shows(laid.project)];
      const run = await wave.run(["run", "-C", laid.project]);
      expect(run.code, run.stdout + run.stderr).toBe(1);
      expect(run.stderr + run.stdout).not.toContain("could not be started");
      expect(bytesOf(laid.guarded)).toEqual(before);
      expect([shows(laid.project), gitIn(laid.project, "status", "--short")]).toEqual([log, ""]);
    });

    test.each(Object.keys(repositoryLayouts))("a passed step commits in %s, and only its files stay", async (layout) => {
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

/** By name: a list of object directories, and whether its repository is shown. `secret` is a directory outside the project. */
const lists: Readonly<Record<string, (secret: string) => string>> = {
  "another directory": (secret) => secret,
  "a directory of the machine": () => "/etc",
  "a file": (secret) => `${secret}/secret`,
  "the root of the file system": () => "/",
  "another directory, by a relative path": (secret) => `../../..${secret}`,
  "another directory, by a link": (secret) => {
    symlinkSync(secret, path.join(path.dirname(secret), `${path.basename(secret)}-objects`));
    return path.join(path.dirname(secret), `${path.basename(secret)}-objects`);
  },
};

test.each(Object.keys(lists))("a list of object directories that names %s shows nothing of it", async (name) => {
  const wave = sceneProject(first, { ...readable });
  const beside = outsidePlace(first);
  const secret = path.join(beside, "secrets");
  mkdirSync(secret);
  writeFileSync(path.join(secret, "secret"), "s\n");
  const unseen = `test ! -e ${secret}/secret; test ! -e ${secret}-objects/secret; test ! -e /etc/shadow`;
  writeFileSync(path.join(wave.root, "wave.yaml"), manifest(`${unseen}; echo done >done.txt`));
  commitAll(wave.root);
  writeFileSync(path.join(wave.root, ".git/objects/info/alternates"), `${lists[name]?.(secret)}\n`);
  const run = await wave.run(["run"]);
  expect(run.code, run.stdout + run.stderr).toBe(0);
  expect(existsSync(path.join(wave.root, "done.txt"))).toBe(true);
});

test.skipIf(process.getuid?.() !== 0)("a list of another user's project shows no private objects of root", async () => {
  const wave = sceneProject(first, { ...readable });
  const beside = outsidePlace(first);
  const lender = path.join(beside, "lender");
  mkdirSync(lender);
  writeFileSync(path.join(lender, "private"), "p\n");
  commitAll(lender);
  chmodSync(beside, 0o700);
  writeFileSync(path.join(wave.root, "wave.yaml"), manifest(`test ! -e ${lender}; echo done >done.txt`));
  commitAll(wave.root);
  writeFileSync(path.join(wave.root, ".git/objects/info/alternates"), `${lender}/.git/objects\n`);
  execFileSync("chown", ["-R", "1000:1000", wave.root]);
  writeFileSync(path.join(wave.home, ".gitconfig"), "[safe]\n\tdirectory = *\n");
  const run = await wave.run(["run"]);
  expect(run.code, run.stdout + run.stderr).toBe(0);
});

/** By name: what `.git` of a project leads to, of which an attempt may see nothing. */
const pointers: Readonly<Record<string, (root: string, secret: string) => void>> = {
  "a file that names the root of the file system": (root) => writeFileSync(path.join(root, ".git"), "gitdir: /\n"),
  "a file that names another directory": (root, secret) => writeFileSync(path.join(root, ".git"), `gitdir: ${secret}\n`),
  "a link to the root of the file system": (root) => symlinkSync("/", path.join(root, ".git")),
  "a directory that shares the root of the file system": (root) => {
    gitIn(root, "init", "-q");
    writeFileSync(path.join(root, ".git/commondir"), "/\n");
  },
  "a directory that shares another directory": (root, secret) => {
    gitIn(root, "init", "-q");
    writeFileSync(path.join(root, ".git/commondir"), `${secret}\n`);
  },
};

test.each(Object.keys(pointers))("%s as `.git` shows no other directory", async (name) => {
  const wave = sceneProject(first, { ...readable });
  const secret = outsidePlace(first);
  writeFileSync(path.join(secret, "secret"), "s\n");
  const unseen = `test ! -e ${secret}/secret; test ! -e /etc/shadow; ! touch ${secret}/new; ! touch /new`;
  writeFileSync(path.join(wave.root, "wave.yaml"), manifest(`${unseen}; echo done >done.txt`));
  pointers[name]?.(wave.root, secret);
  const run = await wave.run(["run"]);
  expect(run.code, run.stdout + run.stderr).toBe(0);
  expect([existsSync(path.join(secret, "new")), readFileSync(path.join(wave.root, "done.txt"), "utf8")]).toEqual([false, "done\n"]);
});

/** Every way in which files of a git directory start a program, or lead out of it. A way that is refused is fine. */
const plants = [
  'git config core.fsmonitor "$PWD/evil"',
  'git config core.hooksPath "$PWD"',
  "git config include.path /etc/gitconfig",
  "git config --worktree core.fsmonitor ./evil",
  'for d in "$(git rev-parse --git-dir)" "$(git rev-parse --git-common-dir)"; do for f in config config.worktree commondir gitdir HEAD index; do echo evil >>"$d/$f"; rm -f "$d/$f"; ln -s /etc/passwd "$d/$f"; done; mkdir -p "$d/hooks" "$d/objects/info"; cp evil "$d/hooks/post-checkout"; echo /etc >"$d/objects/info/alternates"; chmod 777 "$d" "$d/objects"; mv "$d/refs" "$d/moved"; done',
  'rm -rf "$(git rev-parse --git-common-dir)"',
].map((line) => `(${line}) || :`);

describe.each(modes)("%s", (_mode, more) => {
  test.each(
    places.flatMap(([name, scene]) =>
      ["a linked work tree", "a subdirectory", "a submodule"].map((layout) => [name, layout, scene] as const),
    ),
  )("%s: nothing that a step plants in git's files of %s reaches them", async (_name, layout, scene) => {
    const { wave, laid } = laidOut(
      scene,
      manifest(`printf '#!/bin/sh\n' >evil; chmod +x evil; ${plants.join("; ")}; rm -f evil; echo done >done.txt`, undefined, more),
      layout,
    );
    const [before, kinds] = [bytesOf(laid.guarded), treeOf(laid.guarded)];
    const run = await wave.run(["run", "-C", laid.project]);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect([bytesOf(laid.guarded), treeOf(laid.guarded)]).toEqual([before, kinds]);
    expect([existsSync(path.join(laid.project, "done.txt")), gitIn(laid.project, "status", "--short")]).toEqual([true, "?? done.txt\n"]);
  });
});

test("a step that renames a directory of git's files shows a contract no configuration", async () => {
  const renames =
    "(cd ../.git && ls modules/m/config && for d in modules modules/m; do mv $d moved-$(basename $d) || :; done); echo done >done.txt";
  const { wave, laid } = laidOut(first, manifest(renames, "test -e done.txt && ! grep -rq s3cret ../.git"), "a subdirectory");
  const place = path.join(wave.root, ".git/modules/m");
  gitIn(wave.root, "init", "-q", "--bare", place);
  writeFileSync(path.join(place, "config"), '[http "https://example.com"]\n\textraHeader = s3cret\n');
  const run = await wave.run(["run", "-C", laid.project]);
  expect(run.code, run.stdout + run.stderr).toBe(0);
});

describe("an older git", () => {
  const stubbed = (version: string) => {
    const wave = sceneProject(first, { ...readable, "wave.yaml": manifest("echo done >done.txt") });
    commitAll(wave.root);
    const programs = outsidePlace(first);
    const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
    writeFileSync(
      path.join(programs, "git"),
      `#!/bin/sh\n[ "$1" = --version ] && { echo 'git version ${version}'; exit; }\nexec ${real} "$@"\n`,
    );
    chmodSync(path.join(programs, "git"), 0o755);
    return { ...wave, run: (...words: string[]) => wave.run(words, { PATH: `${programs}:${process.env["PATH"]}` }) };
  };

  test.each(["1.8.3.1", "2.25.1", "2.29.3"])("%s is refused by plan and run before any work", async (version) => {
    const wave = stubbed(version);
    for (const command of ["plan", "run"]) {
      const { code, stderr } = await wave.run(command);
      expect([code, stderr]).toEqual([4, expect.stringContaining(`git ${version} is older than 2.30`)]);
      expect(stderr).toContain("install git 2.30 or newer, and put it first on PATH");
    }
    expect([existsSync(path.join(wave.root, "done.txt")), existsSync(path.join(wave.root, ".wave/state/runs"))]).toEqual([false, false]);
    expect((await wave.run("doctor")).stdout).toMatch(new RegExp(`^! git +${version.replaceAll(".", "\\.")}: .*2\\.30 or newer$`, "m"));
  });

  test.each(["2.30.2", "2.30.0.rc1", "2.100.0", "2.39.3 (Apple Git-146)"])("%s is accepted", async (version) => {
    const wave = stubbed(version);
    const run = await wave.run("run");
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect((await wave.run("doctor")).stdout).toContain(`✓ git          ${version}`);
  });

  test("is accepted for a project without a repository", async () => {
    const wave = stubbed("2.25.1");
    rmSync(path.join(wave.root, ".git"), { recursive: true });
    const run = await wave.run("run");
    expect(run.code, run.stdout + run.stderr).toBe(0);
  });
});

test.each(["a linked work tree", "a subdirectory"])("a step with `file_read` rules sees no repository of %s", async (layout) => {
  const text = manifest("test ! -e new.txt; ! git log >/dev/null 2>&1; echo new >new.txt", undefined, {});
  const limited = JSON.parse(text) as { personas: { s: Record<string, unknown> } };
  limited.personas.s["permissions"] = { allow: ["file_read:**/*.txt", "file_read:*.txt"] };
  const { wave, laid } = laidOut(first, JSON.stringify(limited), layout);
  const run = await wave.run(["run", "-C", laid.project]);
  expect(run.code, run.stdout + run.stderr).toBe(0);
});
