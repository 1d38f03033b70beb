/** Work of the user that a run must not lose: edits of the project while steps work, between them, and during a resume. */
import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { EventOf, WaveEvent } from "../../../src/core/event.ts";
import { duringPause, pause, pauseReached } from "../../rig/paused-step.ts";
import { type Project, project } from "../../rig/project.ts";

/** Path → content: a file's text, `-> target` of a symlink, a text after `+x ` of an executable file, `/` of an empty directory. */
type Tree = Readonly<Record<string, string>>;

const files = { "f.txt": "base\n", "dir/one": "1\n", "dir/two": "2\n", "other.txt": "other\n", ".gitignore": ".wave/state/\ndist/\n" };

const git = (root: string, ...words: string[]) =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: root, stdio: "pipe" });
const sh = (root: string, script: string) => void execFileSync("sh", ["-euc", script], { cwd: root });

/** A project in a repository, everything committed, with the given steps as shell scripts. */
function committed(steps: Readonly<Record<string, string>>, keys: Readonly<Record<string, object>> = {}): Project {
  const manifest = {
    pipeline: {
      name: "p",
      steps: Object.keys(steps).map((id, at, ids) => ({
        id,
        persona: id,
        ...(at > 0 ? { dependencies: [ids[at - 1]] } : {}),
        ...keys[id],
      })),
    },
    personas: Object.fromEntries(
      Object.entries(steps).map(([id, command]) => [id, { adapter: "command", command: ["sh", "-euc", command] }]),
    ),
  };
  const wave = project({ ...files, "wave.yaml": JSON.stringify(manifest) });
  git(wave.root, "init", "-q");
  git(wave.root, "add", "-A");
  git(wave.root, "commit", "-qm", "base");
  return wave;
}

/** What is in the project, except for the manifest and what git and state keep. */
function tree(root: string): Tree {
  const found: Record<string, string> = {};
  const visit = (directory: string) => {
    const names = readdirSync(path.join(root, directory));
    if (names.length === 0) found[directory] = "/";
    for (const name of names) {
      const file = path.posix.join(directory, name);
      if ([".git", ".wave", "wave.yaml", ".gitignore"].includes(file)) continue;
      const stats = lstatSync(path.join(root, file));
      if (stats.isDirectory()) visit(file);
      else if (stats.isSymbolicLink()) found[file] = `-> ${readlinkSync(path.join(root, file))}`;
      else found[file] = `${(stats.mode & 0o100) === 0 ? "" : "+x "}${readFileSync(path.join(root, file), "utf8")}`;
    }
  };
  visit("");
  return found;
}

const { ".gitignore": _, ...base } = files;
const without = (...names: string[]): Tree => Object.fromEntries(Object.entries(base).filter(([name]) => !names.includes(name)));

const failureOf = (events: readonly WaveEvent[]) =>
  events.findLast((event): event is EventOf<"run-finished"> => event.type === "run-finished")?.failure;

/** Scripts of both sides, the project afterwards, and the files that the failure names (`changed`). */
interface Row {
  readonly name: string;
  readonly step: string;
  readonly user: string;
  readonly after: Tree;
  /** Undefined if the run passes. */
  readonly changed?: readonly string[];
  /** The step's script does something else if it sees the user's edit, as it may under an overlay. */
  readonly stepFirst?: true;
}

const append = "echo step >> f.txt";
const rows: readonly Row[] = [
  {
    name: "keeps an edit of a file that the step edits",
    step: append,
    user: "echo user > f.txt",
    after: { ...base, "f.txt": "user\n" },
    changed: ["f.txt"],
  },
  {
    name: "keeps a file that was replaced by a rename",
    step: append,
    user: "echo user > .t; mv .t f.txt",
    after: { ...base, "f.txt": "user\n" },
    changed: ["f.txt"],
  },
  {
    name: "keeps a file that was replaced by an older one",
    step: append,
    user: "mv other.txt f.txt",
    after: { ...without("other.txt"), "f.txt": "other\n" },
    changed: ["f.txt"],
  },
  {
    name: "keeps an edit of a file that the step deletes",
    step: "rm f.txt",
    user: "echo user > f.txt",
    after: { ...base, "f.txt": "user\n" },
    changed: ["f.txt"],
  },
  { name: "keeps an executable bit", step: append, user: "chmod +x f.txt", after: { ...base, "f.txt": "+x base\n" }, changed: ["f.txt"] },
  {
    name: "keeps an edit of a file that the step makes executable",
    step: "chmod +x f.txt",
    user: "echo user > f.txt",
    after: { ...base, "f.txt": "user\n" },
    changed: ["f.txt"],
  },
  {
    stepFirst: true,
    name: "keeps a symlink in place of a file",
    step: append,
    user: "ln -sf other.txt f.txt",
    after: { ...base, "f.txt": "-> other.txt" },
    changed: ["f.txt"],
  },
  {
    stepFirst: true,
    name: "keeps a directory in place of a file",
    step: append,
    user: "rm f.txt; mkdir f.txt; echo u > f.txt/in",
    after: { ...without("f.txt"), "f.txt/in": "u\n" },
    changed: ["f.txt"],
  },
  {
    stepFirst: true,
    name: "keeps a file in place of a directory",
    step: "echo step >> dir/one",
    user: "rm -r dir; echo u > dir",
    after: { ...without("dir/one", "dir/two"), dir: "u\n" },
    changed: ["dir"],
  },
  {
    stepFirst: true,
    name: "names a file in place of a directory once",
    step: "echo step >> dir/one; echo step >> dir/two",
    user: "rm -r dir; echo u > dir",
    after: { ...without("dir/one", "dir/two"), dir: "u\n" },
    changed: ["dir"],
  },
  { name: "keeps a deletion", step: append, user: "rm f.txt", after: without("f.txt"), changed: ["f.txt"] },
  {
    stepFirst: true,
    name: "keeps a deletion of a directory",
    step: "echo step >> dir/one",
    user: "rm -r dir",
    after: without("dir/one", "dir/two"),
    changed: ["dir/one"],
  },
  {
    stepFirst: true,
    name: "keeps a renamed directory",
    step: "echo step >> dir/one",
    user: "mv dir moved",
    after: { ...without("dir/one", "dir/two"), "moved/one": "1\n", "moved/two": "2\n" },
    changed: ["dir/one"],
  },
  {
    name: "keeps a directory that was exchanged for an older one",
    step: "echo step >> dir/one",
    user: "mkdir d2; echo u > d2/one; mv dir d3; mv d2 dir",
    after: { ...without("dir/two"), "dir/one": "u\n", "d3/one": "1\n", "d3/two": "2\n" },
    changed: ["dir/one"],
  },
  {
    name: "keeps a new file where the step creates one",
    step: "echo step > new.txt",
    user: "echo user > new.txt",
    after: { ...base, "new.txt": "user\n" },
    changed: ["new.txt"],
  },
  {
    stepFirst: true,
    name: "keeps a new file where the step makes a directory",
    step: "mkdir new; echo step > new/f",
    user: "echo user > new",
    after: { ...base, new: "user\n" },
    changed: ["new"],
  },
  {
    name: "keeps a new file in a directory that the step deletes",
    step: "rm -r dir",
    user: "echo user > dir/three",
    after: { ...without("dir/one", "dir/two"), "dir/three": "user\n" },
  },
  {
    name: "keeps an edit in a directory that the step deletes",
    step: "rm -r dir",
    user: "echo user > dir/two",
    after: { ...base, "dir/two": "user\n" },
    changed: ["dir/two"],
  },
  {
    name: "applies over a file that was touched and is the same",
    step: append,
    user: "touch f.txt; chmod g+w f.txt",
    after: { ...base, "f.txt": "base\nstep\n" },
  },
  {
    name: "applies over a file that was edited and put back",
    step: append,
    user: "echo user > f.txt; echo base > f.txt",
    after: { ...base, "f.txt": "base\nstep\n" },
  },
  {
    name: "applies beside files that only the user changed",
    step: append,
    user: "echo user >> other.txt; rm dir/two; echo n > new.txt",
    after: { ...without("dir/two"), "f.txt": "base\nstep\n", "other.txt": "other\nuser\n", "new.txt": "n\n" },
  },
  { stepFirst: true, name: "passes if both made the same change", step: append, user: append, after: { ...base, "f.txt": "base\nstep\n" } },
];

const attempts = (wave: Project, step: string) =>
  wave.events().filter((event) => event.type === "attempt-started" && event.step === step).length;

describe.each([
  ["overlay, the step first", {}, (step: string) => `${step}; ${pause()}`, rows],
  ["overlay, the user first", {}, (step: string) => `${pause()}; ${step}`, rows.filter(({ stepFirst }) => stepFirst !== true)],
  ["copy", { WAVE_ISOLATION: "copy" }, (step: string) => `${step}; ${pause()}`, rows],
] as const)("an edit while a step works (%s)", (_name, env, script, chosen) => {
  test.each(chosen)("$name", async ({ step, user, after, changed }) => {
    const wave = committed({ a: script(step) });
    const run = wave.start(["run"], env);
    await duringPause(wave.root, run, () => sh(wave.root, user));
    const { code, stdout, stderr } = await run.finished;
    const text = `${stdout}${stderr}`;
    expect({ tree: tree(wave.root), code }).toEqual({ tree: after, code: changed === undefined ? 0 : 1 });
    const failure = failureOf(wave.events());
    if (changed === undefined) expect(failure).toBeUndefined();
    else {
      expect(failure).toMatchObject({ reason: "project-changed", paths: changed });
      for (const file of changed) expect(text).toContain(`  ${file}\n`);
    }
  });
});

describe("after a run that failed because of an edit", () => {
  const manifest = { a: `${append}; ${pause()}` };

  test.each<[string, (root: string) => void, string]>([
    ["a committed file", () => undefined, "base\n"],
    ["a file that was not committed", (root) => sh(root, "echo dirty > f.txt"), "dirty\n"],
    ["a project without git", (root) => sh(root, "rm -rf .git"), "base\n"],
  ])("a resume applies the work without doing it again, once %s is put back", async (_, prepare, before) => {
    const wave = committed(manifest);
    prepare(wave.root);
    const run = wave.start(["run"]);
    await duringPause(wave.root, run, () => sh(wave.root, "echo user > f.txt"));
    expect((await run.finished).code).toBe(1);
    expect(failureOf(wave.events())).toMatchObject({ reason: "project-changed", paths: ["f.txt"] });
    wave.write({ "f.txt": before });
    expect((await wave.wave("resume")).code).toBe(0);
    expect(tree(wave.root)["f.txt"]).toBe(`${before}step\n`);
    expect(attempts(wave, "a")).toBe(1);
  });

  test("a resume does the work again where Wave does not have the version that it started from", async () => {
    const wave = committed(manifest);
    const large = "x".repeat(2 ** 20 + 1);
    wave.write({ "f.txt": large });
    const run = wave.start(["run"]);
    await duringPause(wave.root, run, () => sh(wave.root, "echo user > f.txt"));
    const { code, stdout, stderr } = await run.finished;
    expect(code).toBe(1);
    expect(`${stdout}${stderr}`).toContain("f.txt");
    const failed = wave.events().find((event) => event.type === "attempt-failed");
    expect(failed).toMatchObject({ failure: { reason: "project-changed", paths: ["f.txt"] } });
    const again = wave.start(["resume"]);
    await duringPause(wave.root, again, () => undefined);
    expect((await again.finished).code).toBe(0);
    expect(tree(wave.root)["f.txt"]).toBe("user\nstep\n");
  });
});

describe("an edit at another time", () => {
  test("just before the run is what the step starts from", async () => {
    const wave = committed({ a: append });
    sh(wave.root, "echo user > f.txt");
    expect((await wave.wave("run")).code).toBe(0);
    expect(tree(wave.root)["f.txt"]).toBe("user\nstep\n");
  });

  test.each<[string, Record<string, string>]>([
    ["overlay", {}],
    ["copy", { WAVE_ISOLATION: "copy" }],
  ])("between two steps is kept, and a later step's change of that file is not applied (%s)", async (_, env) => {
    const wave = committed({ a: `echo a > a.txt; ${pause()}`, b: append });
    const run = wave.start(["run"], env);
    await duringPause(wave.root, run, () => sh(wave.root, "echo user > f.txt"));
    expect((await run.finished).code).toBe(1);
    expect(failureOf(wave.events())).toMatchObject({ reason: "project-changed", paths: ["f.txt"] });
    expect(tree(wave.root)).toEqual({ ...base, "f.txt": "user\n" });
  });

  test.each<[string, Record<string, string>]>([
    ["overlay", {}],
    ["copy", { WAVE_ISOLATION: "copy" }],
  ])("of a file that an earlier step changed is kept and named when the next step starts (%s)", async (_, env) => {
    const wave = committed({ a: `${append}; ${pause()}`, b: "cat f.txt" });
    const run = wave.start(["run"], env);
    await duringPause(wave.root, run, () => sh(wave.root, "echo user > f.txt"));
    const { code, stdout, stderr } = await run.finished;
    expect({ code, text: `${stdout}${stderr}` }).toMatchObject({ code: 1, text: expect.stringContaining("  f.txt\n") });
    const failures = wave.events().flatMap((event) => ("failure" in event && event.failure !== undefined ? [event.failure] : []));
    expect(failures).toContainEqual(expect.objectContaining({ reason: "project-changed", paths: ["f.txt"] }));
    expect(tree(wave.root)).toEqual({ ...base, "f.txt": "user\n" });
  });

  test("while a step works on a file that an earlier step changed is kept", async () => {
    const wave = committed({ a: append, b: `${append}; ${pause()}` });
    const run = wave.start(["run"]);
    await duringPause(wave.root, run, () => sh(wave.root, "echo user > f.txt"));
    expect((await run.finished).code).toBe(1);
    expect(failureOf(wave.events())).toMatchObject({ reason: "project-changed", paths: ["f.txt"] });
    expect(tree(wave.root)).toEqual({ ...base, "f.txt": "user\n" });
  });

  test("during a resume is kept", async () => {
    const wave = committed({ a: "echo a > a.txt", b: `${append}; ${pause()}; [ -e dir/go ]` });
    const run = wave.start(["run"]);
    await duringPause(wave.root, run, () => undefined);
    expect((await run.finished).code).toBe(1);
    sh(wave.root, "touch dir/go; git add -A; git -c user.name=t -c user.email=t@t commit -qm go");
    const again = wave.start(["resume"]);
    await duringPause(wave.root, again, () => sh(wave.root, "echo user > f.txt"));
    expect((await again.finished).code).toBe(1);
    expect(failureOf(wave.events())).toMatchObject({ reason: "project-changed", paths: ["f.txt"] });
    expect(tree(wave.root)).toEqual({ ...base, "dir/go": "", "f.txt": "user\n" });
  });

  test("between a run and its resume is kept where a step that had passed changed that file", async () => {
    const wave = committed({ a: append, b: "[ -e dir/go ]" });
    expect((await wave.wave("run")).code).toBe(1);
    sh(wave.root, "echo user > f.txt; touch dir/go");
    expect((await wave.wave("resume")).code).toBe(1);
    expect(tree(wave.root)).toEqual({ ...base, "dir/go": "", "f.txt": "user\n" });
  });
});

describe("an edit between a run and its resume", () => {
  test("is not merged away by steps that started from different versions of the file", async () => {
    const wave = committed({ b: "[ -e dir/go ]; sed -i s/1/step/ lines", a: "sed -i s/9/step/ lines" }, { a: { dependencies: [] } });
    wave.write({ lines: "1\n2\n3\n4\n5\n6\n7\n8\n9\n" });
    expect((await wave.wave("run", "--on-failure", "keep-going")).code).toBe(1);
    sh(wave.root, "sed -i s/5/user/ lines; touch dir/go");
    const { code, stdout, stderr } = await wave.wave("resume");
    expect(code).toBe(1);
    expect(`${stdout}${stderr}`).toContain("they started from different versions of it in the project");
    expect(tree(wave.root)["lines"]).toBe("1\n2\n3\n4\nuser\n6\n7\n8\n9\n");
  });
});

describe("what is not an edit by something else", () => {
  test("a step that runs in the project itself does not keep a later step's changes from being applied", async () => {
    const wave = committed({ a: "echo a > a.txt", b: "echo shared >> f.txt", c: append }, { b: { workspace: "shared" } });
    const { code, stderr } = await wave.wave("run");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(tree(wave.root)).toEqual({ ...base, "a.txt": "a\n", "f.txt": "base\nshared\nstep\n" });
  });
});

describe("an ignored file that the changeset includes", () => {
  const keys = { a: { changeset: { include: ["dist/**"] } } };
  const build = `mkdir -p dist; echo step >> dist/app.js; ${pause()}`;

  test.each<[string, string, string]>([
    ["edited", "echo user > dist/app.js", "user\n"],
    ["deleted", "rm -r dist", ""],
  ])("is kept as the user %s it", async (_, user, content) => {
    const wave = committed({ a: build }, keys);
    wave.write({ "dist/app.js": "built\n" });
    const run = wave.start(["run"]);
    await duringPause(wave.root, run, () => sh(wave.root, user));
    expect((await run.finished).code).toBe(1);
    expect(wave.events().find((event) => event.type === "attempt-failed")).toMatchObject({
      failure: { reason: "project-changed", paths: ["dist/app.js"] },
    });
    expect(tree(wave.root)).toEqual(content === "" ? base : { ...base, "dist/app.js": content });
  });

  test.each(["built\n", ""])("is applied although other files changed (%j before)", async (before) => {
    const wave = committed({ a: build }, keys);
    if (before !== "") wave.write({ "dist/app.js": before });
    const run = wave.start(["run"]);
    await duringPause(wave.root, run, () => sh(wave.root, "echo n > n.txt; mkdir -p dist; echo user > dist/other.js"));
    expect((await run.finished).code).toBe(0);
    expect(tree(wave.root)).toEqual({ ...base, "n.txt": "n\n", "dist/app.js": `${before}step\n`, "dist/other.js": "user\n" });
  });
});

describe("work that was done while the project changed", () => {
  const manifest = { a: `${pause()}; cat other.txt > "$WAVE_OUTPUT_DIR/out"` };
  const keys = { a: { artifacts: ["out"] } };

  test.each<[string, string, number]>([
    ["is not reused", "echo user > other.txt", 2],
    ["is not reused if an ignored file changed", "mkdir -p dist; echo user > dist/app.js", 2],
    ["is reused if only the times of files changed", "touch other.txt", 1],
  ])("%s", async (_, user, expected) => {
    const wave = committed(manifest, keys);
    const run = wave.start(["run"]);
    await duringPause(wave.root, run, () => sh(wave.root, user));
    expect((await run.finished).code).toBe(0);
    sh(wave.root, "echo other > other.txt; rm -rf dist");
    const again = wave.start(["run", "--reuse"]);
    if (expected === 2) await duringPause(wave.root, again, () => undefined);
    expect((await again.finished).code).toBe(0);
    expect(attempts(wave, "a")).toBe(expected);
  });

  test("is not reused from a run that was killed", async () => {
    const wave = committed({ ...manifest, b: pause("second") }, keys);
    const run = wave.start(["run"]);
    await duringPause(wave.root, run, () => sh(wave.root, "echo user > other.txt"));
    rmSync(await pauseReached(wave.root, run, "second"));
    run.child.kill("SIGKILL");
    await run.finished;
    sh(wave.root, "echo other > other.txt");
    const again = wave.start(["run", "--reuse"]);
    await duringPause(wave.root, again, () => undefined);
    await duringPause(wave.root, again, () => undefined, "second");
    expect((await again.finished).code).toBe(0);
    expect(attempts(wave, "a")).toBe(2);
  });
});
