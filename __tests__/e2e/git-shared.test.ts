/** Steps with `workspace: shared`: the repository is read-only for them, or Wave runs no git in it once they have started. */
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { commitAll, gitIn, makeTrap, setTraps } from "../rig/git-traps.ts";
import { outsidePlace, type Scene, type SceneProject, sceneProject, scenes } from "../rig/scenes.ts";

const author = "GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b";

interface Work {
  readonly command: string;
  readonly keys?: string;
}

function manifestOf(steps: readonly Work[]): string {
  const listed = steps.map(
    ({ keys = "workspace: shared" }, at) =>
      `    - { id: s${at}, persona: p${at}, ${keys}${at === 0 ? "" : `, dependencies: [s${at - 1}]`} }`,
  );
  const personas = steps.map(({ command }, at) => `  p${at}: { adapter: command, command: ${JSON.stringify(command)} }`);
  return `pipeline:\n  name: p\n  steps:\n${listed.join("\n")}\npersonas:\n${personas.join("\n")}\n`;
}

const files = { "a.txt": "a\n", ".gitignore": ".wave/state\n*.log\n" };

/** Each makes `.git` of a project something else, and returns the git directory that has to stay as it is. */
const layouts: Readonly<Record<string, (root: string, beside: string) => string>> = {
  "a directory": (root) => path.join(root, ".git"),
  "a file that names a directory elsewhere": (root, beside) => {
    gitIn(root, "init", "-q", "--separate-git-dir", path.join(beside, "git"));
    return path.join(beside, "git");
  },
  "a file that names a directory of the project": (root) => {
    execFileSync("mv", [".git", "store"], { cwd: root });
    writeFileSync(path.join(root, ".git"), "gitdir: store\n");
    return path.join(root, "store");
  },
  "a link to a directory elsewhere": (root, beside) => {
    execFileSync("mv", [path.join(root, ".git"), path.join(beside, "git")]);
    symlinkSync(path.join(beside, "git"), path.join(root, ".git"));
    return path.join(beside, "git");
  },
  "a link to a directory of the project": (root) => {
    execFileSync("mv", [".git", "store"], { cwd: root });
    symlinkSync("store", path.join(root, ".git"));
    return path.join(root, "store");
  },
  "a linked work tree": (root, beside) => {
    const main = path.join(beside, "main");
    mkdirSync(main);
    writeFileSync(path.join(main, "a.txt"), "a\n");
    commitAll(main);
    execFileSync("rm", ["-rf", path.join(root, ".git")]);
    gitIn(main, "worktree", "add", "-q", "--no-checkout", path.join(beside, "w"));
    execFileSync("mv", [path.join(beside, "w/.git"), path.join(root, ".git")]);
    gitIn(root, "worktree", "repair");
    gitIn(root, "reset", "-q");
    return path.join(main, ".git");
  },
};

/** Every file of a git directory with its bytes. */
function bytesIn(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    names.map((entry) => path.join(entry.parentPath, entry.name)).map((file) => [file, readFileSync(file, "base64")]),
  );
}

describe.each(scenes)("with `workspace: shared`: $name", (scene: Scene) => {
  const projectWith = (steps: readonly Work[]) => {
    const wave = sceneProject(scene, { ...files, "wave.yaml": manifestOf(steps) });
    commitAll(wave.root);
    return wave;
  };
  const can = (words: string) => `(${words}) >/dev/null 2>&1 && echo "did: ${words.replaceAll('"', "")}"`;

  test.each(Object.keys(layouts))("a step changes nothing of git's where `.git` is %s", async (name) => {
    const attempts = [
      "echo x >.git/evil",
      "git config core.fsmonitor evil",
      "git update-index --assume-unchanged a.txt",
      "git branch other",
      "rm -f .git/HEAD",
      "rm -rf .git/hooks && mkdir .git/hooks",
      "echo '* filter=x' >.git/info/attributes",
      "mv .git moved",
      "rm -f .git && mkdir .git",
      "mv store moved",
      "umount .git",
      "mount -o remount,bind,rw .git",
    ];
    // What a step does to a link is found out afterwards: no mount protects one.
    const isLink = name.startsWith("a link");
    const command = [...attempts.filter((words) => !isLink || !/^(?:mv|rm -f) \.git( |$)/.test(words)).map(can), "echo kept >>a.txt"].join(
      "\n",
    );
    const wave = projectWith([{ command }]);
    const guarded = layouts[name]?.(wave.root, outsidePlace(scene)) ?? "";
    wave.own(guarded);
    const [before, entry] = [bytesIn(guarded), execFileSync("stat", ["-c", "%i %F", ".git"], { cwd: wave.root, encoding: "utf8" })];
    const run = await wave.run(["run"]);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect((await wave.run(["logs", "latest"])).stdout).not.toContain("did:");
    expect(bytesIn(guarded)).toEqual(before);
    expect(execFileSync("stat", ["-c", "%i %F", ".git"], { cwd: wave.root, encoding: "utf8" })).toBe(entry);
    expect(readFileSync(path.join(wave.root, "a.txt"), "utf8")).toBe("a\nkept\n");
  });

  test("a commit fails, and the failure names the way to publish one", async () => {
    const wave = projectWith([{ command: `echo b >b.txt; git add b.txt && ${author} git commit -qm step` }]);
    const head = gitIn(wave.root, "rev-parse", "HEAD");
    const run = await wave.run(["run"]);
    expect(run.code).toBe(1);
    expect(run.stdout + run.stderr).toMatch(
      /index\.lock': Read-only file system[\s\S]*hint: [^\n]*`\.git` is read-only[^\n]*`sandbox: off`[^\n]*`publish: commit`/,
    );
    expect(gitIn(wave.root, "rev-parse", "HEAD")).toBe(head);
    expect(gitIn(wave.root, "status", "--short")).toBe("?? b.txt\n");
  });

  test("a step that replaces a link to the repository fails", async () => {
    const wave = projectWith([{ command: "rm .git && mkdir .git && echo evil >.git/config" }]);
    layouts["a link to a directory elsewhere"]?.(wave.root, outsidePlace(scene));
    const run = await wave.run(["run"]);
    expect([run.code, run.stdout + run.stderr]).toEqual([1, expect.stringContaining("replaced `")]);
  });

  test("repositories and submodules inside the project are read-only, too", async () => {
    const command = [can("echo x >nested/.git/config"), can("rm -f sub/.git"), can("rm -rf nested/.git"), "echo kept >>nested/n.txt"].join(
      "\n",
    );
    const wave = projectWith([{ command }]);
    const source = outsidePlace(scene);
    for (const place of [source, path.join(wave.root, "nested")]) {
      mkdirSync(place, { recursive: true });
      writeFileSync(path.join(place, "n.txt"), "n\n");
      commitAll(place);
    }
    gitIn(wave.root, "submodule", "--quiet", "add", source, "sub");
    const before = bytesIn(path.join(wave.root, "nested/.git"));
    const run = await wave.run(["run"]);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect((await wave.run(["logs", "latest"])).stdout).not.toContain("did:");
    expect([bytesIn(path.join(wave.root, "nested/.git")), existsSync(path.join(wave.root, "sub/.git"))]).toEqual([before, true]);
    expect(readFileSync(path.join(wave.root, "nested/n.txt"), "utf8")).toBe("n\nkept\n");
  });

  test("a contract's command cannot write to the repository either", async () => {
    const keys = `workspace: shared, handover: { contract: { type: test_suite, command: "git branch other; test ! -e .git/refs/heads/other" } }`;
    const wave = projectWith([{ command: "echo done", keys }]);
    const run = await wave.run(["run"]);
    expect([run.code, gitIn(wave.root, "branch", "--format=%(refname:short)")]).toEqual([0, "main\n"]);
  });
});

const [first] = scenes as readonly [Scene, ...Scene[]];

/** A `git` first on PATH that notes the directory and the words of each start by Wave, and runs the real one. */
function watchGit(wave: SceneProject): { readonly env: Readonly<Record<string, string>>; readonly started: () => readonly string[] } {
  const bin = outsidePlace(first);
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  writeFileSync(path.join(bin, "git"), `#!/bin/sh\necho "$(ls ${wave.root}/after 2>/dev/null) $*" >>${bin}/log\nexec ${real} "$@"\n`, {
    mode: 0o755,
  });
  const lines = () => (existsSync(path.join(bin, "log")) ? readFileSync(path.join(bin, "log"), "utf8").trimEnd().split("\n") : []);
  return { env: { PATH: `${bin}:${process.env["PATH"]}` }, started: lines };
}

describe("with `workspace: shared` and `sandbox: off`", () => {
  const open = "workspace: shared, sandbox: off";
  const reads = (root: string, line: string) => line.includes(`-C ${root}`);

  test("a step commits, and Wave runs no git in the project once it has started", async () => {
    const wave = sceneProject(first, {
      ...files,
      "wave.yaml": manifestOf([
        { command: `touch after; echo b >b.txt; /usr/bin/git add b.txt && ${author} /usr/bin/git commit -qm step`, keys: open },
        { command: "echo c >c.txt; echo l >c.log", keys: "reuse: false" },
        { command: "true", keys: open },
      ]),
    });
    commitAll(wave.root);
    const { env, started } = watchGit(wave);
    const run = await wave.run(["run"], env);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(gitIn(wave.root, "log", "--format=%s")).toBe("step\nfirst\n");
    expect(started().filter((line) => reads(wave.root, line)).length).toBeGreaterThan(0);
    expect(started().filter((line) => reads(wave.root, line) && line.includes("after "))).toEqual([]);
    expect(readFileSync(path.join(wave.root, "c.txt"), "utf8")).toBe("c\n");
  });

  test("the plan says so, for the steps that it holds for", async () => {
    const wave = sceneProject(first, { ...files, "wave.yaml": manifestOf([{ command: "true", keys: open }, { command: "true" }]) });
    commitAll(wave.root);
    const { stdout } = await wave.run(["plan"]);
    expect(
      stdout
        .split("\n")
        .filter((line) => line.includes("repository"))
        .map((line) => line.replace(/^[│ ]*repository +/, "")),
    ).toEqual([
      "the step can write to `.git`; once it has started, Wave runs no git in the project until the run ends",
      "`.git` is read-only",
    ]);
  });

  test("what a step leaves in the repository starts nothing, in this run or by a later command", async () => {
    const wave = sceneProject(first, files);
    const trap = makeTrap(outsidePlace(first));
    const kit = outsidePlace(first);
    writeFileSync(path.join(kit, "tracked.txt"), "t\n");
    commitAll(kit);
    setTraps(path.join(kit, ".git"), trap, path.join(wave.root, ".git"));
    writeFileSync(
      path.join(wave.root, "wave.yaml"),
      manifestOf([
        { command: `rm -rf .git; cp -r ${kit}/.git .git`, keys: open },
        { command: "echo more >more.txt", keys: "reuse: false" },
      ]),
    );
    commitAll(wave.root);
    for (const words of [["run"], ["status"], ["plan"], ["run", "--reuse"], ["artifacts", "latest", "--patch"], ["resume", "latest"]]) {
      const { code, stderr } = await wave.run(words);
      expect([words, code, code === 0 ? "" : stderr, trap.fired()]).toEqual([words, 0, "", []]);
    }
  });

  test("without a sandbox on the machine the rule is the same", async () => {
    const wave = sceneProject(first, {
      ...files,
      "wave.yaml": manifestOf([
        { command: `touch after; echo b >b.txt; /usr/bin/git add b.txt && ${author} /usr/bin/git commit -qm step` },
      ]),
    });
    commitAll(wave.root);
    const { env, started } = watchGit(wave);
    const run = await wave.run(["run"], { ...env, WAVE_ISOLATION: "none" });
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(started().filter((line) => reads(wave.root, line) && line.includes("after "))).toEqual([]);
    expect((await wave.run(["plan"], { WAVE_ISOLATION: "none" })).stdout).toContain("the step can write to `.git`");
  });
});

describe("repositories that appear during a run", () => {
  test.each(["", ", sandbox: off"])("are not run git in, where the step that makes one has `workspace: shared%s`", async (sandbox) => {
    const command = "git init -q inner && git init -q . 2>/dev/null; touch inner/x after";
    const wave = sceneProject(first, {
      ...files,
      "wave.yaml": manifestOf([
        { command, keys: `workspace: shared${sandbox}` },
        { command: "echo m >m.txt", keys: "reuse: false" },
      ]),
    });
    const { env, started } = watchGit(wave);
    const run = await wave.run(["run"], env);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(existsSync(path.join(wave.root, "inner/.git/HEAD"))).toBe(true);
    expect(started().filter((line) => line.includes(`-C ${wave.root}`))).toEqual([]);
  });

  test("are not run git in, inside a repository that was there", async () => {
    const wave = sceneProject(first, { ...files, "wave.yaml": manifestOf([{ command: "git init -q inner; touch inner/x after" }]) });
    commitAll(wave.root);
    appendFileSync(path.join(wave.root, ".gitignore"), "after\n");
    const { env, started } = watchGit(wave);
    const run = await wave.run(["run"], env);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    const places = started().flatMap((line) => / -C (\S+) /.exec(line)?.[1] ?? []);
    expect([...new Set(places)]).toEqual([wave.root]);
  });
});
