/** Ordinary work in a workspace of its own, through the real binary: tools find what they need, odd places are places, and nothing is left behind. */
import { execFileSync, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { artifactText, cli, eventsIn, project } from "../rig/project.ts";
import { mountsOf, outsidePlace, processesWith, type Scene, type SceneProject, sceneProject, scenes } from "../rig/scenes.ts";

const has = (program: string) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

function gitIn(cwd: string, ...words: string[]): string {
  const identity = [
    "-c",
    "user.name=someone",
    "-c",
    "user.email=someone@example.invalid",
    "-c",
    "protocol.file.allow=always",
    "-c",
    "safe.directory=*",
  ];
  return execFileSync("git", [...identity, ...words], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function repository(root: string): void {
  gitIn(root, "init", "-q", "-b", "main");
  gitIn(root, "add", "-A");
  gitIn(root, "commit", "-q", "-m", "first");
}

interface Work {
  readonly command: string;
  readonly keys?: Readonly<Record<string, unknown>>;
}

/** A manifest whose steps leave what they print in the artifact `report`. */
const manifestOf = (work: Readonly<Record<string, Work>>, more: object = {}) =>
  JSON.stringify({
    personas: Object.fromEntries(
      Object.entries(work).map(([id, { command }]) => [id, { command: `exec >"$WAVE_OUTPUT_DIR/report"; ${command}` }]),
    ),
    steps: Object.entries(work).map(([id, { keys }]) => ({ id, persona: id, artifacts: ["report"], ...keys })),
    ...more,
  });

/** What each step printed, by its id. */
function reports(wave: Pick<SceneProject, "root" | "events">): Record<string, string> {
  return Object.fromEntries(
    wave.events().flatMap((event) => {
      const report = event.type === "attempt-passed" ? event.artifacts.find(({ name }) => name === "report") : undefined;
      return event.type !== "attempt-passed" || report === undefined ? [] : [[event.step, artifactText(wave.root, report.digest)]];
    }),
  );
}

async function runs(wave: SceneProject, ...words: string[]): Promise<void> {
  const run = await wave.run(["run", ...words]);
  expect(run.code, run.stderr).toBe(0);
}

const offline = { permissions: { deny: ["network_access:*"] } };
const server = `node -e 'const s=require("http").createServer((q,r)=>r.end("served")).listen(0,"localhost",()=>
require("http").get("http://localhost:"+s.address().port,r=>r.on("data",d=>{console.log(String(d));process.exit()})))'`;

const tools: Readonly<Record<string, Work & { readonly prints: string }>> = {
  "git-diff": {
    command: "echo more >>a.txt; git diff --stat | tail -1; git status --short",
    prints: " 1 file changed, 1 insertion(+)\n M a.txt\n",
  },
  "git-log": { command: "git log --format=%s; git show HEAD:a.txt", prints: "first\na\n" },
  "git-commit": {
    command:
      "git checkout -q -b own; echo b >b.txt; git add b.txt; git -c user.name=a -c user.email=a@b commit -q -m second; git log --format=%s",
    prints: "second\nfirst\n",
  },
  node: { command: 'node -p \'[1,2].map(n=>n*2).join()+require("os").tmpdir()+(require("os").cpus().length>0)\'', prints: "2,4/tmptrue\n" },
  "npm-test": { command: "npm test --silent 2>&1 | grep -c -e '^# pass 1' -e '^ℹ pass 1'", prints: "1\n" },
  pipeline: {
    command: "printf 'b\\na\\n' | sort | tr '\\n' ' ' | sed 's/ $//' | tee out.txt; wc -c <out.txt | tr -d ' '",
    prints: "a b3\n",
  },
  "places-of-its-own": {
    command:
      'ls -A "$HOME" "$TMPDIR" | grep -v -e : -e "^$" -e "$(basename "$PWD")"; echo 1 >"$HOME/.rc" && echo 2 >"$TMPDIR/t" && echo 3 >/var/tmp/v && cat "$HOME/.rc" "$(mktemp -p "$TMPDIR")" "$TMPDIR/t" "$TMPDIR/v"',
    prints: "1\n2\n3\n",
  },
  "localhost-offline": { command: server, keys: offline, prints: "served\n" },
  localhost: { command: server, prints: "served\n" },
  ...(has("python3")
    ? { python: { command: "python3 -c 'import json,ssl,sqlite3,tempfile; print(json.dumps([1]))'", prints: "[1]\n" } }
    : {}),
  ...(has("cc")
    ? {
        compiler: {
          command: "printf '#include <stdio.h>\\nint main(void){puts(\"built\");}' >m.c && cc -o m m.c && ./m && rm m.c m",
          prints: "built\n",
        },
      }
    : {}),
};

const sources = {
  "a.txt": "a\n",
  "package.json": '{ "name": "p", "scripts": { "test": "node --test" } }',
  "sum.test.mjs": 'import { test } from "node:test"; import sum from "sum"; test("adds", () => { if (sum(1, 2) !== 3) throw 1; });',
  "node_modules/sum/package.json": '{ "name": "sum", "main": "sum.js" }',
  "node_modules/sum/sum.js": "module.exports = (a, b) => a + b;",
  ".gitignore": "node_modules\n.wave/state\n",
};

describe.each(scenes)("$name", (scene: Scene) => {
  const clean = (wave: SceneProject) => {
    const workspaces = path.join(wave.root, ".wave/state/workspaces");
    return { mounts: mountsOf(path.basename(wave.root)), workspaces: existsSync(workspaces) ? readdirSync(workspaces) : [] };
  };
  const nothing = { mounts: [], workspaces: [] };

  it.each(["on", "off"])("tools work, with `sandbox: %s`", async (sandbox) => {
    // Without a fence `/tmp` and `/var/tmp` are the machine's.
    const chosen = Object.entries(tools).filter(([id]) => sandbox === "on" || !["places-of-its-own", "node"].includes(id));
    const wave = sceneProject(scene, {
      ...sources,
      "wave.yaml": manifestOf(Object.fromEntries(chosen), sandbox === "on" ? {} : { sandbox }),
    });
    repository(wave.root);
    await runs(wave, "--concurrency", "3", "--no-apply");
    expect(reports(wave)).toEqual(Object.fromEntries(chosen.map(([id, { prints }]) => [id, prints])));
    expect([gitIn(wave.root, "log", "--format=%s"), gitIn(wave.root, "status", "--short")]).toEqual(["first\n", ""]);
    expect(clean(wave)).toEqual(nothing);
  });

  it("a project without git, and one in a place with an odd name", async () => {
    for (const name of [
      "plain",
      "with space",
      'quote\'s "d"',
      "colon:comma,equals=",
      "back\\slash",
      "новый ☂",
      "new\nline",
      "#hash $(x) *",
    ]) {
      const wave = sceneProject(scene, {});
      const root = path.join(wave.root, name);
      mkdirSync(root);
      writeFileSync(path.join(root, "a.txt"), "a\n");
      writeFileSync(
        path.join(root, "wave.yaml"),
        manifestOf({ work: { command: 'cat a.txt; basename "$PWD"; echo b >b.txt; mkdir -p d && mv a.txt d', keys: offline } }),
      );
      const run = await wave.run(["run", "-C", root]);
      expect([name, run.code, run.stderr]).toEqual([name, 0, expect.anything()]);
      expect([
        readFileSync(path.join(root, "b.txt"), "utf8"),
        readFileSync(path.join(root, "d/a.txt"), "utf8"),
        existsSync(path.join(root, "a.txt")),
      ]).toEqual(["b\n", "a\n", false]);
      wave.remove();
    }
  });

  it.each([{}, { ".wave/personas/other.md": "You are another.\n" }])(
    "a step that may read a part of the project, beside wave's own files %j",
    async (files) => {
      const command =
        "cat src/a.txt; ls -A; find .wave -mindepth 1 ! -path '.wave/state*' | sort; cat other.txt 2>/dev/null || echo hidden";
      const keys = { permissions: { allow: ["file_read:src/**"] } };
      const work = { fenced: { command, keys }, open: { command, keys: { ...keys, sandbox: "off" } } };
      const wave = sceneProject(scene, { "src/a.txt": "a\n", "other.txt": "o\n", ...files, "wave.yaml": manifestOf(work) });
      await runs(wave);
      expect(reports(wave)).toEqual({ fenced: "a\n.wave\nsrc\nhidden\n", open: "a\n.wave\nsrc\nhidden\n" });
      wave.remove();
    },
  );

  const look =
    "git log --format=%s | head -1; git status --short; echo more >>a.txt; git diff --stat | tail -1; git commit -q -am own 2>&1 | head -1; ";
  const author = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@b", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@b" };
  const seen = "first\n 1 file changed, 1 insertion(+)\n";

  it("a project that is a part of a repository sees the rest of it, and cannot write there", async () => {
    const command = `git log --format=%s; cat ../top.txt; touch ../top.txt 2>/dev/null || echo closed; echo more >>a.txt; git diff --stat | tail -1`;
    const wave = sceneProject(scene, {
      ...{ "top.txt": "top\n", "part/a.txt": "a\n", ".gitignore": ".wave\n" },
      "part/wave.yaml": manifestOf({ work: { command, keys: offline } }),
    });
    repository(wave.root);
    const run = await wave.run(["run", "-C", path.join(wave.root, "part")]);
    expect(run.code, run.stderr).toBe(0);
    const part = { ...wave, root: path.join(wave.root, "part"), events: () => eventsIn(path.join(wave.root, "part")) };
    expect(reports(part)).toEqual({ work: "first\ntop\nclosed\n 1 file changed, 1 insertion(+)\n" });
    expect(readFileSync(path.join(part.root, "a.txt"), "utf8")).toBe("a\nmore\n");
  });

  it("a project that is named by a link: itself, or a directory above it, with a repository around it or none", async () => {
    const steps = manifestOf({
      fenced: { command: 'cat a.txt; git log --format=%s 2>/dev/null; basename "$PWD"; echo b >b.txt', keys: offline },
      "in-place": { command: "cat a.txt", keys: { workspace: "shared", dependencies: ["fenced"] } },
    });
    for (const [link, words, inRepository] of [
      ["link", (at: string) => ["-C", at], true],
      ["link", (at: string) => ["-f", `${at}/wave.yaml`], false],
      ["above", (at: string) => ["-C", `${at}/whole/part`], true],
      ["above", (at: string) => ["-f", `${at}/whole/part/wave.yaml`], false],
    ] as const) {
      const wave = sceneProject(scene, { "whole/part/a.txt": "a\n", "whole/part/wave.yaml": steps, "whole/.gitignore": ".wave\n" });
      if (inRepository) repository(path.join(wave.root, "whole"));
      symlinkSync(link === "link" ? "whole/part" : ".", path.join(wave.root, link));
      const run = await wave.run(["run", ...words(path.join(wave.root, link))]);
      expect(run.code, run.stderr).toBe(0);
      const part = path.join(wave.root, "whole/part");
      expect(reports({ root: part, events: () => eventsIn(part) })).toEqual({
        fenced: `a\n${inRepository ? "first\n" : ""}part\n`,
        "in-place": "a\n",
      });
      expect(readFileSync(path.join(part, "b.txt"), "utf8")).toBe("b\n");
      wave.remove();
    }
  });

  it("a work tree of a repository", async () => {
    const wave = sceneProject(scene, {
      "main/a.txt": "a\n",
      "main/.gitignore": ".wave\n",
      "main/wave.yaml": manifestOf({ work: { command: look, keys: { ...offline, env: author } } }),
    });
    const main = path.join(wave.root, "main");
    repository(main);
    gitIn(main, "worktree", "add", "-q", "../tree");
    const tree = path.join(wave.root, "tree");
    const run = await wave.run(["run", "-C", tree]);
    expect(run.code, run.stderr).toBe(0);
    expect(reports({ ...wave, root: tree, events: () => eventsIn(tree) }).work).toContain(seen);
    expect([gitIn(main, "log", "--format=%s", "--all"), readFileSync(path.join(main, "a.txt"), "utf8")]).toEqual(["first\n", "a\n"]);
  });

  it("a project with a submodule", async () => {
    const wave = sceneProject(scene, {
      ...{ "a.txt": "a\n", ".gitignore": ".wave\n" },
      "wave.yaml": manifestOf({
        work: { command: `${look}git -C library log --format=%s; cat library/l.txt`, keys: { ...offline, env: author } },
      }),
    });
    const origin = outsidePlace(scene);
    writeFileSync(path.join(origin, "l.txt"), "l\n");
    repository(origin);
    gitIn(wave.root, "init", "-q", "-b", "main");
    gitIn(wave.root, "submodule", "add", "-q", origin, "library");
    repository(wave.root);
    await runs(wave);
    expect(reports(wave)).toEqual({ work: `${seen}first\nl\n` });
    expect(gitIn(wave.root, "log", "--format=%s")).toBe("first\n");
  });

  it("eight steps at once leave nothing behind", async () => {
    const mark = `eight-${process.pid}-${scene.name.length}`;
    const step = {
      command: `(setsid node -e 'setInterval(()=>{},1e6)' ${mark} >/dev/null 2>&1 &); echo "$WAVE_STEP_ID" >"$WAVE_STEP_ID"; ls *-only 2>/dev/null; cat "$WAVE_STEP_ID"`,
      keys: offline,
    };
    const ids = [..."abcdefgh"].map((letter) => `${letter}-only`);
    const wave = sceneProject(scene, { "wave.yaml": manifestOf(Object.fromEntries(ids.map((id) => [id, step]))) });
    await runs(wave, "--concurrency", "8");
    expect(reports(wave)).toEqual(Object.fromEntries(ids.map((id) => [id, `${id}\n${id}\n`])));
    expect({ ...clean(wave), processes: processesWith(mark), files: readdirSync(wave.root).sort() }).toEqual({
      ...nothing,
      processes: [],
      files: [".wave", ...ids, "wave.yaml"],
    });
  });

  it("wave killed in the middle leaves no process and no mount, and the next run removes its directories", async () => {
    const mark = `killed-${process.pid}-${scene.name.length}`;
    const wave = sceneProject(scene, {
      "wave.yaml": manifestOf({ work: { command: `echo half >half; exec node -e 'setInterval(()=>{},1e6)' ${mark}`, keys: offline } }),
    });
    const begun = wave.begin(["run"]);
    await until(() => processesWith(mark, "node").length > 0, begun.finished);
    const before = readdirSync(path.join(wave.root, ".wave/state/workspaces"));
    begun.child.kill("SIGKILL");
    await begun.finished;
    await until(() => processesWith(mark).length === 0);
    expect([mountsOf(path.basename(wave.root)), before.length, existsSync(path.join(wave.root, "half"))]).toEqual([[], 1, false]);
    wave.write({ "wave.yaml": manifestOf({ work: { command: "echo whole", keys: offline } }) });
    await runs(wave);
    expect(clean(wave)).toEqual(nothing);
  });
});

describe("a repository whose files git does not tell", () => {
  const ignored = "warning: ignored files count as project files because git cannot list them";
  const files = {
    "wave.yaml": "sandbox: off\npersonas: { p: { command: [/bin/sh, -c, 'exit 0'] } }\nsteps: [{ id: a, persona: p, workspace: shared }]\n",
    ".gitignore": ".wave\n",
  };
  const told = async (root: string, words: readonly string[], env: Readonly<Record<string, string>>) => {
    const ran = spawnSync(process.execPath, [cli, ...words], { cwd: root, env: { HOME: root, ...env }, encoding: "utf8" });
    return { code: ran.status, first: ran.stderr.split("\n")[0], stdout: ran.stdout };
  };

  it("is a warning that says why: without git", async () => {
    const wave = project(files);
    repository(wave.root);
    const why = `${ignored} (git was not found: install it, or add it to PATH)`;
    for (const words of [["plan"], ["run"]]) {
      expect(await told(wave.root, words, { PATH: "/nonexistent" })).toMatchObject({ code: 0, first: why });
      expect((await told(wave.root, words, { PATH: process.env["PATH"] ?? "" })).first).not.toContain("warning");
    }
  });

  it.runIf(process.getuid?.() === 0)("is a warning that says why: of another owner; `wave doctor` says it, too", async () => {
    const wave = project(files);
    repository(wave.root);
    for (const name of ["", ".git", ...Object.keys(files)]) chownSync(path.join(wave.root, name), 12_345, 12_345);
    const trust = `git config --global --add safe.directory ${wave.root}`;
    const why = `another user owns the repository: if you trust it, \`${trust}\``;
    const env = { PATH: process.env["PATH"] ?? "" };
    expect(await told(wave.root, ["run"], env)).toMatchObject({ code: 0, first: `${ignored} (${why})` });
    expect((await told(wave.root, ["doctor"], env)).stdout).toContain(`! repository   ${why}\n`);
    execFileSync("sh", ["-c", trust], { env: { ...env, HOME: wave.root } });
    expect((await told(wave.root, ["run"], env)).first).not.toContain("warning");
    expect((await told(wave.root, ["doctor"], env)).stdout).not.toContain("repository");
  });

  it("is none where there is no repository, or it ignores the project", async () => {
    const wave = project(files);
    const env = { PATH: process.env["PATH"] ?? "" };
    expect((await told(wave.root, ["plan"], env)).first).toBe("");
    const part = path.join(wave.root, ".wave/part");
    mkdirSync(part, { recursive: true });
    writeFileSync(path.join(part, "wave.yaml"), files["wave.yaml"]);
    repository(wave.root);
    expect((await told(part, ["plan"], env)).first).toBe("");
  });
});

/** Looks again and again, for as long as the test may take. */
async function until(holds: () => boolean, over?: Promise<unknown>): Promise<void> {
  let ended = false;
  void over?.then(() => {
    ended = true;
  });
  while (!holds()) {
    if (ended) throw new Error("it ended before");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
