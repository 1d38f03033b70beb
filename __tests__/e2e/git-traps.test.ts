/** Directories that are or look like repositories and name programs: no command of Wave starts one of them, in any layout. */
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { commitAll, gitIn, makeTrap, moveGitUp, setTraps, type Trap, trappedAttributes } from "../rig/git-traps.ts";
import { outsidePlace, type Scene, type SceneProject, sceneProject, scenes } from "../rig/scenes.ts";

const manifest = `
pipeline:
  name: p
  steps:
    - { id: good, persona: good, artifacts: [report] }
    - { id: bad, persona: bad, optional: true }
personas:
  good: { adapter: command, command: "test ! -e kit.tar || tar xf kit.tar; echo more >>tracked.txt; echo new >new.txt; echo done >$WAVE_OUTPUT_DIR/report" }
  bad: { adapter: command, command: "echo half >half.txt; exit 1" }
`;
const files = { "tracked.txt": "tracked\n", "wave.yaml": manifest, ".gitignore": ".wave/state\n" };

const commands: readonly (readonly [words: readonly string[], code: number])[] = [
  [["validate"], 0],
  [["plan"], 0],
  [["plan", "--json"], 0],
  [["doctor"], 0],
  [["run"], 0],
  [["status"], 0],
  [["artifacts", "latest", "--changes"], 0],
  [["artifacts", "latest", "--patch"], 0],
  [["workspace", "bad"], 0],
  [["run", "--reuse"], 0],
  [["resume", "latest"], 0],
  [["rollback", "latest", "--yes"], 0],
];

/** Runs every command in a directory, and expects of each its status and that the trap did not fire. */
async function everyCommand(wave: SceneProject, root: string, trap: Trap): Promise<void> {
  const seen: unknown[] = [];
  for (const [words] of commands) {
    const { code, stderr } = await wave.run([...words, "-C", root]);
    seen.push([words.join(" "), code, code === 0 ? "" : stderr, trap.fired()]);
  }
  expect(seen).toEqual(commands.map(([words, code]) => [words.join(" "), code, "", []]));
}

/** Expects that plain git, run by a person in the same place, does start the trap: the test could fail. */
function expectLoaded(trap: Trap, directory: string): void {
  trap.forget();
  // Git must not see files as unchanged by their times alone.
  utimesSync(path.join(directory, "tracked.txt"), 1, 1);
  spawnSync("git", ["-c", "safe.directory=*", "ls-files", "--modified"], { cwd: directory, env: { PATH: process.env["PATH"] } });
  expect(trap.fired().length).toBeGreaterThan(0);
  trap.forget();
}

/** A directory with `files` that looks like a bare repository with every trap, for `place`. */
function bareLooking(directory: string, trap: Trap, place: string): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(directory, name), text);
  commitAll(directory);
  moveGitUp(directory);
  setTraps(directory, trap, place);
}

const [first] = scenes as readonly [Scene, ...Scene[]];

describe("nothing that a repository names runs", () => {
  test("in a subdirectory of a fresh clone whose files look like a bare repository", async () => {
    const wave = sceneProject(first, {});
    const trap = makeTrap(outsidePlace(first));
    const [upstream, clone] = ["upstream", "clone"].map((name) => path.join(wave.root, name)) as [string, string];
    bareLooking(path.join(upstream, "sub"), trap, path.join(clone, "sub"));
    commitAll(upstream);
    gitIn(wave.root, "clone", "-q", upstream, clone);
    expectLoaded(trap, path.join(clone, "sub"));
    await everyCommand(wave, path.join(clone, "sub"), trap);
  });

  test("in a project without `.git` whose files look like a bare repository", async () => {
    const wave = sceneProject(first, {});
    const trap = makeTrap(outsidePlace(first));
    bareLooking(wave.root, trap, wave.root);
    expectLoaded(trap, wave.root);
    await everyCommand(wave, wave.root, trap);
  });

  const own: Readonly<Record<string, (root: string, trap: Trap) => void>> = {
    "by the configuration, the attributes and the hooks of the project's own repository": (root, trap) =>
      setTraps(path.join(root, ".git"), trap),
    "by tracked attributes and the repository's filters": (root, trap) => {
      writeFileSync(path.join(root, ".gitattributes"), trappedAttributes);
      gitIn(root, "add", "-A");
      gitIn(root, "commit", "-q", "-m", "attributes");
      appendFileSync(
        path.join(root, ".git/config"),
        `[filter "trap"]\n\tclean = ${trap.program} clean\n\tprocess = ${trap.program} process\n`,
      );
    },
    "by a configuration that another one includes": (root, trap) => {
      writeFileSync(path.join(root, "tracked-config"), `[core]\n\tfsmonitor = ${trap.program}\n`);
      appendFileSync(path.join(root, ".git/config"), "[include]\n\tpath = ../tracked-config\n");
    },
    "by the configuration of one work tree": (root, trap) => {
      gitIn(root, "config", "extensions.worktreeConfig", "true");
      gitIn(root, "config", "--worktree", "core.fsmonitor", trap.program);
    },
    "by a `.git` file that leads to a directory of the project": (root, trap) => {
      execFileSync("mv", [".git", "store"], { cwd: root });
      writeFileSync(path.join(root, ".git"), "gitdir: store\n");
      setTraps(path.join(root, "store"), trap);
    },
    "by a `.git` link that leads to a directory of the project": (root, trap) => {
      execFileSync("mv", [".git", "store"], { cwd: root });
      symlinkSync("store", path.join(root, ".git"));
      setTraps(path.join(root, "store"), trap);
    },
    "by a common directory that `.git` leads to": (root, trap) => {
      execFileSync("mv", [".git", "store"], { cwd: root });
      mkdirSync(path.join(root, ".git"));
      writeFileSync(path.join(root, ".git/commondir"), "../store\n");
      for (const name of ["HEAD", "index"]) execFileSync("cp", [`store/${name}`, `.git/${name}`], { cwd: root });
      setTraps(path.join(root, "store"), trap);
    },
  };

  test.each(Object.keys(own))("%s", async (name) => {
    const wave = sceneProject(first, files);
    const trap = makeTrap(outsidePlace(first));
    commitAll(wave.root);
    own[name]?.(wave.root, trap);
    expectLoaded(trap, wave.root);
    await everyCommand(wave, wave.root, trap);
    expect(readFileSync(path.join(wave.root, "tracked.txt"), "utf8")).toBe("tracked\n");
  });

  test("by a repository inside the project, a submodule, or one inside that", async () => {
    const wave = sceneProject(first, files);
    const trap = makeTrap(outsidePlace(first));
    const source = outsidePlace(first);
    writeFileSync(path.join(source, "tracked.txt"), "s\n");
    commitAll(source);
    commitAll(wave.root);
    gitIn(wave.root, "submodule", "--quiet", "add", source, "lib/sub");
    gitIn(wave.root, "commit", "-q", "-m", "sub");
    mkdirSync(path.join(wave.root, "nested/deeper"), { recursive: true });
    for (const place of ["nested", "nested/deeper"]) {
      writeFileSync(path.join(wave.root, place, "tracked.txt"), "n\n");
      commitAll(path.join(wave.root, place));
    }
    const repositories = [".git/modules/lib/sub", "nested/.git", "nested/deeper/.git"].map((place) => path.join(wave.root, place));
    for (const repository of repositories) setTraps(repository, trap);
    for (const place of ["lib/sub", "nested", "nested/deeper"]) expectLoaded(trap, path.join(wave.root, place));
    await everyCommand(wave, wave.root, trap);
  });

  test("by a partial clone that lacks an object: nothing is fetched", async () => {
    const wave = sceneProject(first, files);
    const trap = makeTrap(outsidePlace(first));
    symlinkSync("tracked.txt", path.join(wave.root, "link"));
    commitAll(wave.root);
    const link = gitIn(wave.root, "rev-parse", ":link").trim();
    rmSync(path.join(wave.root, ".git/objects", link.slice(0, 2), link.slice(2)));
    const remote = `[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tpartialClone = trap\n[protocol]\n\tallow = always\n`;
    appendFileSync(path.join(wave.root, ".git/config"), `${remote}[remote "trap"]\n\turl = ext::${trap.program} ext\n\tpromisor = true\n`);
    // Of the same length, so that git compares what the link leads to with the object that it lacks.
    rmSync(path.join(wave.root, "link"));
    symlinkSync("trackee.txt", path.join(wave.root, "link"));
    spawnSync("git", ["ls-files", "--modified"], { cwd: wave.root, env: { PATH: process.env["PATH"] } });
    expect(trap.fired()).toEqual(["ext"]);
    trap.forget();
    await everyCommand(wave, wave.root, trap);
  });

  test("by the user's own configuration, for a repository whose attributes ask for it", async () => {
    const wave = sceneProject(first, { ...files, ".gitattributes": trappedAttributes });
    const trap = makeTrap(outsidePlace(first));
    commitAll(wave.root);
    writeFileSync(
      path.join(wave.home, ".gitconfig"),
      `[filter "trap"]\n\tclean = ${trap.program} clean\n[core]\n\tfsmonitor = ${trap.program}\n`,
    );
    await everyCommand(wave, wave.root, trap);
  });

  test("nor `git` itself from the project, where PATH has a relative entry", async () => {
    const wave = sceneProject(first, files);
    const trap = makeTrap(outsidePlace(first));
    commitAll(wave.root);
    writeFileSync(path.join(wave.root, "git"), `#!/bin/sh\nexec ${trap.program} planted\n`, { mode: 0o755 });
    const { code, stderr } = await wave.run(["plan"], { PATH: `.:${process.env["PATH"]}` });
    expect([code, stderr, trap.fired()]).toEqual([0, "", []]);
  });
});

describe.each(scenes)("an isolated step that leaves a bare repository: $name", (scene) => {
  test.each(["a project without git", "a directory of a repository"])("in %s", async (where) => {
    const wave = sceneProject(scene, {});
    const trap = makeTrap(outsidePlace(scene));
    const root = where === "a project without git" ? wave.root : path.join(wave.root, "part");
    const kit = outsidePlace(scene);
    bareLooking(kit, trap, root);
    mkdirSync(root, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(root, name), text);
    if (root !== wave.root) commitAll(wave.root);
    execFileSync(
      "tar",
      ["cf", path.join(root, "kit.tar"), "HEAD", "config", "objects", "refs", "info", "index", "hooks", "more", "more.attributes"],
      { cwd: kit },
    );
    wave.own(wave.root);
    const run = await wave.run(["run", "-C", root]);
    expect(run.code, run.stderr).toBe(0);
    expect([existsSync(path.join(root, "HEAD")), lstatSync(path.join(root, "refs")).isDirectory(), trap.fired()]).toEqual([true, true, []]);
    expectLoaded(trap, root);
    await everyCommand(wave, root, trap);
  });
});
