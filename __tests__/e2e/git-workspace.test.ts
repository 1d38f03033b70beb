/** The directory that `wave workspace` prints: a person can use git everywhere in it, whatever the step left there. */
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { commitAll, gitIn, makeTrap, moveGitUp, setTraps, type Trap } from "../rig/git-traps.ts";
import { outsidePlace, type SceneProject, sceneProject, scenes } from "../rig/scenes.ts";

/** What a step does with `plain` (a `.git` with every trap), `bare` (the same as a bare repository) and `far` (one outside the attempt). */
const left: Readonly<Record<string, string>> = {
  "a repository": "mkdir r && cp -r $K/plain r/.git && cp $K/tracked.txt r",
  "a bare repository in the tree": "cp -r $K/bare/. .",
  "a bare repository in a directory whose name is no text": "mkdir \"$(printf 'x\\377')\" && cp -r $K/bare/. \"$(printf 'x\\377')\"",
  "a repository in a directory that cannot be listed": "mkdir r && cp -r $K/bare/. r && chmod 311 r",
  "repositories in its home, its temporary directory and its output":
    'for d in "$HOME" "$TMPDIR/t" "$WAVE_OUTPUT_DIR/o"; do mkdir -p $d; cp -r $K/plain $d/.git; cp $K/tracked.txt $d; done',
  "a `.git` file that names a bare repository beside it":
    "mkdir r && cp -r $K/bare store && cp $K/tracked.txt r && echo 'gitdir: ../store' >r/.git",
  "a `.git` file that names a directory outside": 'mkdir r && cp $K/tracked.txt r && echo "gitdir: $FAR" >r/.git',
  "a `.git` link to a directory outside": "mkdir r && cp $K/tracked.txt r && ln -s $FAR r/.git",
  "a repository whose common directory is outside":
    "mkdir -p r/.git && cp $K/tracked.txt r && cp $K/plain/HEAD $K/plain/index r/.git && echo $FAR >r/.git/commondir",
  "a repository whose configuration is a link":
    "mkdir r && cp -r $K/plain r/.git && cp $K/tracked.txt r && mv r/.git/config r/settings && ln -s ../settings r/.git/config",
  "a configuration of one work tree":
    "mkdir r && cp -r $K/plain r/.git && cp $K/tracked.txt r && mv r/.git/config r/.git/config.worktree && printf '[core]\\nrepositoryformatversion = 1\\n[extensions]\\nworktreeConfig = true\\n' >r/.git/config",
};

/** Runs git as a person would in every directory where it could find a repository. */
function lookAround(directory: string): void {
  const all = execFileSync("find", [directory, "-type", "d", "-print0"], { encoding: "buffer" });
  const list = path.join(directory, "list");
  writeFileSync(list, all);
  const look =
    'cd "$1" 2>/dev/null || exit 0; for w in "ls-files -m" "status" "diff" "log -1 --show-signature"; do git -c safe.directory=* $w; done';
  spawnSync("xargs", ["-0", "-a", list, "-n", "1", "sh", "-c", look, "look"], { env: { PATH: process.env["PATH"], HOME: "/nonexistent" } });
}

describe.each(scenes)("$name", (scene) => {
  test.each(Object.keys(left))("nothing starts in a workspace where a step left %s", async (name) => {
    const wave = sceneProject(scene, {
      "tracked.txt": "t\n",
      "wave.yaml": `
pipeline: { name: p, steps: [{ id: a, persona: p, env: { FAR: "PLACE/kit/far" } }] }
personas: { p: { adapter: command, command: ${JSON.stringify(`K=$PWD/kit; ${left[name]}; exit 1`)} } }
`,
    });
    const trap = makeTrap(outsidePlace(scene));
    prepareKit(wave, trap);
    const run = await wave.run(["run"]);
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining("exited with 1")]);
    const shown = await wave.run(["workspace", "a"]);
    expect([shown.code, trap.fired()]).toEqual([0, []]);
    lookAround(shown.stdout.trim());
    expect(trap.fired()).toEqual([]);
  });
});

/** `kit/plain`, `kit/bare` and `kit/far` in the project; the trap springs in each. */
function prepareKit({ root, write }: Pick<SceneProject, "root" | "write">, trap: Trap): void {
  const kit = path.join(root, "kit");
  write({ "kit/tracked.txt": "t\n", "kit/bare/tracked.txt": "t\n", "kit/far-tree/tracked.txt": "t\n" });
  for (const place of ["", "bare", "far-tree"]) commitAll(path.join(kit, place));
  moveGitUp(path.join(kit, "bare"));
  execFileSync("sh", ["-c", "mv .git plain && mv far-tree/.git far"], { cwd: kit });
  for (const place of ["plain", "bare", "far"]) setTraps(path.join(kit, place), trap);
  const yaml = path.join(root, "wave.yaml");
  writeFileSync(yaml, readFileSync(yaml, "utf8").replace("PLACE", root));
  for (const words of [
    ["--git-dir=plain", "--work-tree=."],
    ["-C", "bare"],
    ["--git-dir=far", "--work-tree=far-tree"],
  ]) {
    trap.forget();
    spawnSync("git", ["-c", "safe.directory=*", ...words, "status"], { cwd: kit, env: { PATH: process.env["PATH"] } });
    expect([words, trap.fired().length > 0]).toEqual([words, true]);
  }
  trap.forget();
}

test("what a step committed can still be read in its workspace, and what was put aside is beside it", async () => {
  const author = "GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b";
  const command = `mkdir r && cd r && git init -q && echo x >f && git add f && ${author} git commit -qm step && git config core.fsmonitor evil && git config user.name kept && echo 'exit 0' >.git/hooks/pre-commit; exit 1`;
  const [first] = scenes;
  if (first === undefined) throw new Error("there is no scene");
  const wave = sceneProject(first, {
    "wave.yaml": `pipeline: { name: p, steps: [{ id: a, persona: p }] }\npersonas: { p: { adapter: command, command: ${JSON.stringify(command)} } }\n`,
  });
  await wave.run(["run"]);
  const { stdout } = await wave.run(["workspace", "a", "--json"]);
  const { parts } = JSON.parse(stdout) as { readonly parts: Readonly<Record<string, string>> };
  const repository = path.join(parts["upper"] ?? parts["tree"] ?? "", "r");
  expect(gitIn(repository, "log", "--format=%s")).toBe("step\n");
  expect(gitIn(repository, "config", "--file", ".git/config", "user.name")).toBe("kept\n");
  expect(readFileSync(path.join(repository, ".git/config"), "utf8")).not.toContain("evil");
  expect(readFileSync(path.join(repository, ".git/config.from-step"), "utf8")).toContain("fsmonitor = evil");
  expect([existsSync(path.join(repository, ".git/hooks")), readdirSync(path.join(repository, ".git/hooks.from-step"))]).toEqual([
    false,
    expect.arrayContaining(["pre-commit"]),
  ]);
});

test("the workspace of a run that was killed is made safe when it is asked for", async () => {
  const [first] = scenes;
  if (first === undefined) throw new Error("there is no scene");
  const place = outsidePlace(first);
  execFileSync("mkfifo", ["ready", "gate"], { cwd: place });
  const command = `mkdir r && cd r && git init -q && git config core.fsmonitor evil && echo >${place}/ready && read x <${place}/gate`;
  const wave = sceneProject(first, {
    "wave.yaml": `sandbox: off\npipeline: { name: p, steps: [{ id: a, persona: p }] }\npersonas: { p: { adapter: command, command: ${JSON.stringify(command)} } }\n`,
  });
  const { child, finished } = wave.begin(["run"]);
  await readFile(path.join(place, "ready"));
  const running = await wave.run(["workspace", "a"]);
  child.kill("SIGKILL");
  await finished;
  const after = await wave.run(["workspace", "a"]);
  // Opened for both, a pipe waits for nobody: the step may have ended with its run.
  const gate = openSync(path.join(place, "gate"), "r+");
  writeSync(gate, "\n");
  closeSync(gate);
  expect([running.code, after.code]).toEqual([2, 0]);
  expect(execFileSync("grep", ["-rl", "fsmonitor = evil", after.stdout.trim()], { encoding: "utf8" })).toMatch(/^\S+config\.from-step\n$/);
});
