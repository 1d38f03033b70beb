/** What commands print when something is missing or wrong: the place, the cause and the next step. */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { personaLibrary } from "../../src/prompt/library.ts";
import { cli, type Finished, type Project, project } from "../rig/project.ts";

const writes = (content: string) => `echo ${content} > out.txt; echo x > "$WAVE_OUTPUT_DIR/report"`;

function manifest(command: string, name = "demo"): string {
  return JSON.stringify({
    personas: { worker: { command } },
    pipeline: { name, steps: [{ id: "work", persona: "worker", artifacts: ["report"] }] },
  });
}

it("a missing blob is reported with the command that makes it again, and that command does", async () => {
  const wave = project({ "wave.yaml": manifest(writes("1")) });
  expect((await wave.wave("run", "--no-apply")).code).toBe(0);
  const digest = /sha256:([0-9a-f]{64})/.exec((await wave.wave("artifacts", "--json")).stdout)?.[1] ?? "";
  rmSync(path.join(wave.root, ".wave/state/blobs/sha256", digest.slice(0, 2), digest.slice(2)), { force: true });
  rmSync(path.join(wave.root, ".wave/state/blobs/sha256", digest.slice(0, 2), digest), { force: true });
  const ran = await wave.wave("artifacts", "latest", "work", "report");
  expect([ran.code, ran.stdout, ran.stderr]).toEqual([4, "", expect.stringContaining("wave resume RUN --from STEP")]);
  expect((await wave.wave("resume", "latest", "--from", "work")).code).toBe(0);
  expect(await wave.wave("artifacts", "latest", "work", "report")).toMatchObject({ code: 0, stdout: "x\n" });
});

describe("a manifest that cannot be found", () => {
  it("is reported by the deleted directory, and help and the version still work there", async () => {
    const parent = temporary();
    mkdirSync(path.join(parent, "gone"));
    const ran = await shell("cd gone; rmdir ../gone; wave validate; echo $?; wave --version; echo $?", parent);
    expect(ran.stdout).toMatch(/^2\n\d+\.\d+\.\d+\n0\n$/);
    expect(ran.stderr).toContain("gone does not exist");
    expect(ran.stderr).toContain("-C");
  });

  it("is reported by the missing directory that -C names", async () => {
    const missing = path.join(temporary(), "missing");
    const ran = await project({}).wave("status", "-C", missing);
    expect([ran.code, ran.stdout, ran.stderr]).toEqual([2, "", expect.stringContaining(`${missing} does not exist`)]);
  });

  it("is not replaced by the manifest of a parent if it is a broken link", async () => {
    const wave = project({ "wave.yaml": manifest(writes("1")), "below/.keep": "" });
    spawnSync("git", ["init", "-q"], { cwd: wave.root });
    symlinkSync("nowhere", path.join(wave.root, "below/wave.yaml"));
    const ran = await wave.wave("validate", "-C", "below");
    expect([ran.code, ran.stdout]).toEqual([2, expect.not.stringContaining("valid")]);
    expect(ran.stderr).toContain("`wave.yaml` does not exist");
  });

  it.runIf(process.platform === "linux")("is reported if it is a FIFO, without waiting for a writer", async () => {
    const wave = project({});
    spawnSync("mkfifo", [path.join(wave.root, "wave.yaml")]);
    const ran = await wave.wave("validate");
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("it is not a regular file")]);
  });
});

const builtIn = [...personaLibrary.keys()];

const outside: string[] = [];

afterEach(() => {
  for (const directory of outside.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function temporary(): string {
  const directory = mkdtempSync(path.join(tmpdir(), "wave-messages-"));
  outside.push(directory);
  return directory;
}

/** Runs a command line in a shell, with `wave` on PATH. */
function shell(line: string, cwd: string): Promise<Finished> {
  const wave = `wave() { '${process.execPath}' '${cli}' "$@"; }; `;
  const env = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", LANG: "C.UTF-8" };
  const child = spawn("sh", ["-c", wave + line], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const printed = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    printed.stderr += text;
  });
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, ...printed })));
}

/** The command after the colon at the end of a line. */
function commandIn(text: string, name: string): string {
  return new RegExp(`^.*: (wave ${name} .*)$`, "m").exec(text)?.[1] ?? "";
}

async function failedRun(wave: Project): Promise<{ readonly id: string; readonly stderr: string }> {
  const { code, stderr } = await wave.wave("run");
  expect(code).toBe(1);
  return { id: wave.events()[0]?.run ?? "", stderr };
}

describe("wave help", () => {
  it("prints the help of a command and exits with 0", async () => {
    const wave = project({});
    const help = await wave.wave("help", "run");
    expect([help.code, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toContain("Usage: wave run");
    expect(help).toEqual(await wave.wave("run", "--help"));
  });

  it.each([[["help"]], [["help", "help"]], [["--help"]], [[]]])("lists the commands for %j and exits with 0", async (words) => {
    const help = await project({}).wave(...words);
    expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ {2}rollback .*Revert/m) });
  });

  it.each([[["help", "rum"]], [["rum"]]])("exits with 2 for %j and suggests the nearest command", async (words) => {
    const help = await project({}).wave(...words);
    expect(help).toMatchObject({ code: 2, stderr: expect.stringMatching(/unknown command 'rum'[\s\S]*run/) });
  });
});

describe("wave persona list", () => {
  const named = (text: string) => text.split("\n").flatMap((line) => line.split(" ")[0] || []);

  it("prints the built-in personas, then the problem, without a manifest", async () => {
    const listed = await project({}).wave("persona", "list");
    expect(listed.code).toBe(2);
    expect(named(listed.stdout)).toEqual(["PERSONA", ...builtIn]);
    expect(listed.stderr).toContain("no wave.yaml in");
  });

  it("prints the personas that can be read, then the place of the problem, if the manifest is invalid", async () => {
    const wave = project({ "wave.yaml": "personas: { worker: { command: x } }\nsteps: 3\n" });
    const listed = await wave.wave("persona", "list");
    expect(listed.code).toBe(2);
    expect(named(listed.stdout)).toEqual(["PERSONA", "worker", ...builtIn]);
    expect(listed.stderr).toContain("wave.yaml:2:8");
    const document = JSON.parse((await wave.wave("persona", "list", "--json")).stdout) as { personas: { name: string }[] };
    expect(document).toMatchObject({ ok: false, failure: { reason: "manifest-invalid" } });
    expect(document.personas.map(({ name }) => name)).toEqual(["worker", ...builtIn]);
  });

  it("prints the other personas if a file that the manifest names is missing", async () => {
    const wave = project({ "wave.yaml": "personas: { gone: gone.md, worker: { command: x } }\nsteps: [{ id: a, persona: worker }]\n" });
    const listed = await wave.wave("persona", "list");
    expect(listed.code).toBe(2);
    expect(named(listed.stdout)).toEqual(expect.arrayContaining(["worker", ...builtIn]));
    expect(listed.stderr).toMatch(/gone\.md[\s\S]*wave\.yaml:1:/);
  });
});

describe("an unknown persona", () => {
  it("is reported with the names of the built-in ones", async () => {
    const wave = project({ "wave.yaml": "steps: [{ id: a, persona: zzzzzz, task: x }]\n" });
    const { code, stderr } = await wave.wave("validate");
    expect(code).toBe(2);
    expect(stderr).toContain("W301");
    for (const name of builtIn) expect(stderr).toContain(name);
  });
});

describe("wave cancel latest", () => {
  it("cancels the newest active run, even if a newer run has ended", async () => {
    const wave = project({ "slow.yaml": manifest("touch started; sleep 60", "slow"), "fast.yaml": manifest(writes("x"), "fast") });
    const slow = wave.start(["run", "-f", "slow.yaml", "--json"]);
    await slow.line((line) => line.includes('"attempt-started"'));
    expect((await wave.wave("run", "-f", "fast.yaml")).code).toBe(0);
    const cancelled = JSON.parse((await wave.wave("cancel", "latest", "-f", "slow.yaml", "--json")).stdout) as { run: object };
    expect(cancelled.run).toMatchObject({ pipeline: "slow", status: "cancelled" });
    expect((await slow.finished).code).toBe(130);
  });

  it("reports that no run is active, and how to list runs", async () => {
    const wave = project({ "wave.yaml": manifest(writes("x")) });
    expect((await wave.wave("run")).code).toBe(0);
    const cancelled = await wave.wave("cancel", "latest");
    expect(cancelled).toMatchObject({ code: 2, stderr: expect.stringMatching(/no active run[\s\S]*wave status/) });
  });
});

describe("a project", () => {
  it("is found from a directory below it, with its state and paths at the manifest's directory", async () => {
    const wave = project({ "wave.yaml": manifest(writes("x")), "src/deep/file.txt": "" });
    expect((await shell("git init -q . && cd src/deep && wave run", wave.root)).code).toBe(0);
    const status = await shell("wave status", path.join(wave.root, "src"));
    expect(status).toMatchObject({ code: 0, stdout: expect.stringMatching(/passed +demo|demo[\s\S]*passed/) });
    expect(await shell("cat out.txt && test -d .wave/state && test ! -e src/deep/.wave && test ! -e src/.wave", wave.root)).toMatchObject({
      code: 0,
      stdout: "x\n",
    });
    expect((await wave.wave("validate", "-C", "src/deep")).code).toBe(0);
  });

  it("is the nearest one: a manifest below another one hides it", async () => {
    const wave = project({
      "wave.yaml": manifest(writes("x"), "outer"),
      "part/wave.yml": manifest(writes("x"), "inner"),
      "part/src/f": "",
    });
    const validated = await shell("git init -q . && cd part/src && wave validate", wave.root);
    expect(validated).toMatchObject({ code: 0, stdout: expect.stringContaining("inner") });
  });

  it("is not searched for above the repository, nor without one", async () => {
    const wave = project({ "wave.yaml": manifest(writes("x")), "plain/src/f": "", "repo/src/f": "" });
    const plain = await shell("wave validate", path.join(wave.root, "plain/src"));
    expect([plain.code, plain.stderr.match(/no wave\.yaml in (.*)\n/)?.[1]]).toEqual([2, path.join(wave.root, "plain/src")]);
    const nested = await shell("git init -q repo && cd repo/src && wave validate", wave.root);
    expect(nested).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no wave\.yaml in .*repo\/src or its parents up to .*repo\n[\s\S]*-C/),
    });
  });

  it.skipIf(process.getuid?.() !== 0)("is not searched for in a repository of another user", async () => {
    const wave = project({ "wave.yaml": manifest(writes("x")), "src/f": "" });
    const validated = await shell("git init -q . && chown -R 65534 . && cd src && wave validate", wave.root);
    expect(validated).toMatchObject({ code: 2, stderr: expect.stringMatching(/no wave\.yaml in .*src\n/) });
  });
});

describe("the command that resumes a run", () => {
  it("works as printed, with -C and every -f, in another directory", async () => {
    const wave = project({
      "my project/base.yaml": manifest('test -e ../../fixed && echo x > "$WAVE_OUTPUT_DIR/report"'),
      "my project/over.yaml": "pipeline: { name: other }\ndefaults: { workspace: shared }\n",
    });
    const run = await shell("wave run -C 'my project' -f base.yaml -f over.yaml", wave.root);
    expect(run.code).toBe(1);
    const resume = commandIn(run.stderr, "resume");
    expect(resume).toMatch(/ -C 'my project' -f base\.yaml -f over\.yaml$/);
    const again = await shell(resume, wave.root);
    expect([again.code, again.stderr.includes("no wave.yaml")]).toEqual([1, false]);
    expect(again.stderr).toContain("attempt 2");
  });

  it("needs no options in the project's directory", async () => {
    const { id, stderr } = await failedRun(project({ "wave.yaml": manifest("exit 1") }));
    expect(commandIn(stderr, "resume")).toBe(`wave resume ${id}`);
  });
});

describe("a run that is not found", () => {
  it("is reported with how to start the first run if there are no runs", async () => {
    const wave = project({ "wave.yaml": manifest(writes("x")) });
    for (const words of [["resume"], ["status", "latest"], ["logs"], ["artifacts"], ["rollback", "latest"], ["cancel", "latest"]]) {
      const { code, stderr } = await wave.wave(...words);
      expect([words, code, stderr]).toEqual([words, 2, expect.stringMatching(/there are no runs yet[\s\S]*wave run/)]);
    }
  });

  it("is reported with the newest runs; a longer prefix is suggested only if several runs match", async () => {
    const wave = project({ "wave.yaml": manifest(writes("x")) });
    const ids = new Set<string>();
    // Ids are random: 17 of them share a first hexadecimal digit somewhere.
    for (let round = 0; round < 17 && !hasSharedStart(ids); round++) {
      expect((await wave.wave("run")).code).toBe(0);
      for (const { run } of wave.events()) ids.add(run);
    }
    const unknown = await wave.wave("status", "zzz");
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/newest runs: [0-9a-f]{10}[\s\S]*wave status/) });
    expect(unknown.stderr).not.toMatch(/more .*of the id/);
    const ambiguous = await wave.wave("status", sharedStart(ids));
    expect(ambiguous).toMatchObject({ code: 2, stderr: expect.stringMatching(/several runs[\s\S]*more .*of the id/) });
  });
});

function sharedStart(ids: ReadonlySet<string>): string {
  const starts = [...ids].map((id) => id.slice(0, 1));
  return starts.find((start, index) => starts.indexOf(start) !== index) ?? "";
}

function hasSharedStart(ids: ReadonlySet<string>): boolean {
  return sharedStart(ids) !== "";
}

describe("wave rollback", () => {
  it("names the command that runs the steps again, and that command works", async () => {
    const wave = project({ "wave.yaml": manifest(writes("x")) });
    const elsewhere = temporary();
    mkdirSync(path.join(elsewhere, "sub"));
    expect((await wave.wave("run")).code).toBe(0);
    const preview = await shell(`wave rollback latest --dry-run -C ${wave.root}`, elsewhere);
    const undone = await shell(commandIn(preview.stderr, "rollback"), elsewhere);
    expect(undone.code).toBe(0);
    expect((await shell("test -e out.txt", wave.root)).code).toBe(1);
    expect((await shell(commandIn(undone.stderr, "resume"), elsewhere)).code).toBe(0);
    expect((await shell("cat out.txt", wave.root)).stdout).toBe("x\n");
  });
});

describe("an action that a command does not have", () => {
  it.each([
    ["state", "x", ["verify", "rebuild"]],
    ["persona", "x", ["list", "show"]],
  ])("of `wave %s` is reported with those that it has", async (command, action, expected) => {
    const { code, stderr } = await project({ "wave.yaml": manifest(writes("x")) }).wave(command, action);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`unknown action \`${action}\``)]);
    for (const name of expected) expect(stderr).toContain(`\`${name}\``);
  });
});

describe("wave doctor", () => {
  it("names the keys that an agent can use, and how to choose a default adapter", async () => {
    const { code, stdout } = await project({ "wave.yaml": manifest(writes("x")) }).wave("doctor");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^! claude +no API key \(set ANTHROPIC_API_KEY\b.*\); /m);
    expect(stdout).toMatch(/^! adapter +.*`defaults\.adapter`.*--adapter/m);
  });
});

describe("values of options", () => {
  it.each([
    ["status", "--limit", "0"],
    ["logs", "--attempt", "x"],
    ["cleanup", "--keep-last", "1.5"],
    ["run", "--concurrency", "257"],
  ])("of `wave %s %s` are checked before the project is opened, and reported as JSON", async (command, option, value) => {
    const failed = await project({}).wave(command, option, value, "--json");
    expect(failed.code).toBe(2);
    expect(JSON.parse(failed.stdout)).toMatchObject({
      ok: false,
      failure: { reason: "usage", message: expect.stringContaining(`${option} `) },
    });
  });
});
