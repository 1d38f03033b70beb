/** Bad input through the real binary: a clear diagnostic or failure, its exit code, never a stack trace. */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { cli, type Finished, type Project, project } from "../rig/project.ts";

const worker = (command: string) => `personas: { worker: { command: ${JSON.stringify(command)} } }\n`;

interface JsonDiagnostic {
  readonly code: string;
  readonly severity: string;
  readonly origin: { readonly file: string; readonly range: { readonly start: { readonly line: number; readonly column: number } } };
}

function expectKind(finished: Finished): void {
  expect(finished.stderr).not.toMatch(/^\s+at .*(?:file:|node:|\.js:).*\d+:\d+\)?$/m);
  expect(finished.stderr).not.toContain("bug in wave");
}

/** `code file:line:column` of every error that `wave validate` finds. */
async function errorsOf(manifest: string | Buffer, more: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const wave = project(more);
  writeFileSync(path.join(wave.root, "wave.yaml"), manifest);
  const validated = await wave.wave("validate", "--format", "json");
  expectKind(validated);
  const { diagnostics } = JSON.parse(validated.stdout) as { diagnostics: JsonDiagnostic[] };
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  expect(validated.code).toBe(errors.length > 0 ? 2 : 0);
  const run = await wave.wave("run");
  expectKind(run);
  expect(run.code).toBe(errors.length > 0 ? 2 : 0);
  return errors.map(({ code, origin: { file, range } }) => `${code} ${file}:${range.start.line}:${range.start.column}`);
}

/**
 * Runs wave as a user whom file modes bind. Root gives itself up once Node has started, and runs a copy of the bundle that lies in the
 * project: the repository, and Node itself, may lie where only root can read.
 */
async function unprivileged(wave: Project, ...words: string[]): Promise<Finished> {
  if (process.getuid?.() !== 0) return wave.wave(...words);
  const copy = path.join(wave.root, "wave");
  cpSync(path.dirname(cli), copy, { recursive: true });
  writeFileSync(path.join(copy, "package.json"), '{ "type": "module" }');
  chmodSync(wave.root, 0o755);
  const giveUp = "data:text/javascript,process.setgroups([]);process.setgid(65534);process.setuid(65534)";
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ["--import", giveUp, path.join(copy, "cli.js"), ...words], {
    cwd: wave.root,
    encoding: "utf8",
  });
  return { code: status, signal, stdout, stderr };
}

const step = (id: string, more = "") => `  - { id: ${id}, persona: worker${more === "" ? "" : `, ${more}`} }\n`;

describe("manifests", () => {
  const cases: readonly (readonly [string, string | Buffer, readonly string[]])[] = [
    ["empty", "", ["W102 wave.yaml:1:1"]],
    ["only comments", "# nothing\n", ["W102 wave.yaml:1:1"]],
    ["binary", Buffer.from([0, 1, 2, 255, 254, 0]), ["W103"]],
    ["50 MB", Buffer.alloc(50_000_000, "# filler\n"), ["W104 wave.yaml:1:1"]],
    [
      "an alias bomb",
      `a: &a [${"x, ".repeat(9)}x]\n${"bcdefgh"
        .split("")
        .map((name, index) => `${name}: &${name} [${`*${"abcdefg"[index]}, `.repeat(9)}*${"abcdefg"[index]}]\n`)
        .join("")}`,
      ["W106"],
    ],
    ["duplicate keys", `${worker("true")}steps:\n${step("a")}steps: []\n`, ["W105 wave.yaml:4:1"]],
    ["tabs", `${worker("true")}steps:\n\t- id: a\n`, ["W101 wave.yaml:3:1"]],
    ["an unknown key", `${worker("true")}steps:\n${step("a", "taks: x")}`, ["W201 wave.yaml:3:31"]],
    ["wrong types", `${worker("true")}steps:\n${step("a", "task: [1], optional: maybe")}`, ["W202 wave.yaml:3:37", "W202 wave.yaml:3:52"]],
    ["a cycle", `${worker("true")}steps:\n${step("a", "dependencies: [b]")}${step("b", "dependencies: [a]")}`, ["W401"]],
    ["self-dependency", `${worker("true")}steps:\n${step("a", "dependencies: [a]")}`, ["W402 wave.yaml:3:46"]],
    ["an id with a slash", `${worker("true")}steps:\n${step('"a/b"')}`, ["W205 wave.yaml:3:11"]],
    ["an id that climbs", `${worker("true")}steps:\n${step("..")}`, ["W205 wave.yaml:3:11"]],
    [
      "a schema outside the project",
      `${worker("true")}steps:\n${step("a", "handover: { contract: { type: json_schema, schema: ../x.json } }")}`,
      ["W304"],
    ],
    [
      "a missing schema",
      `${worker("true")}steps:\n${step("a", "handover: { contract: { type: json_schema, schema: x.json } }")}`,
      ["W303"],
    ],
    ["an unknown contract type", `${worker("true")}steps:\n${step("a", "handover: { contract: { type: jsonschema } }")}`, ["W204"]],
    [
      "an artifact that climbs out",
      `${worker("true")}steps:\n${step("a", 'artifacts: [{ name: a, path: "../../etc/hostname" }]')}`,
      ["W304"],
    ],
    ["a scalar", "just text\n", ["W202 wave.yaml:1:1"]],
  ];
  it.each(cases)("%s", async (_name, manifest, expected) => {
    const found = await errorsOf(manifest);
    expect(found.map((error, index) => (expected[index]?.includes(":") === true ? error : error.split(" ")[0]))).toEqual(expected);
  });

  it("a broken schema, and one that refers to a server", async () => {
    const manifest = `${worker("true")}steps:\n${step("a", "handover: { contract: { type: json_schema, schema: broken.json } }")}${step("b", "handover: { contract: { type: json_schema, schema: remote.json } }")}`;
    const found = await errorsOf(manifest, {
      "broken.json": '{\n  "type": "objekt"\n}\n',
      "remote.json": '{\n  "$ref": "https://example.com/schema.json"\n}\n',
    });
    expect(found.map((error) => error.split(" ")[0])).toEqual(["W310", "W310"]);
  });

  it("10,000 steps are an ordinary manifest", async () => {
    const steps = Array.from({ length: 10_000 }, (_, index) => step(`s${index}`, index === 0 ? "" : `dependencies: [s${index - 1}]`)).join(
      "",
    );
    const wave = project({ "wave.yaml": `${worker("true")}steps:\n${steps}` });
    expect(await wave.wave("validate")).toMatchObject({ code: 0, stdout: "wave.yaml is valid: wave (10,000 steps)\n" });
    const planned = JSON.parse((await wave.wave("plan", "--json")).stdout) as { steps: unknown[]; criticalPath: unknown[] };
    expect([planned.steps.length, planned.criticalPath.length]).toEqual([10_000, 10_000]);
  });
});

describe("steps", () => {
  const failures: readonly (readonly [string, string, string, string])[] = [
    ["an artifact through a symlink that leads out", 'ln -s /etc/hostname "$WAVE_OUTPUT_DIR/a"', "artifacts: [a]", "artifact-refused"],
    ["a missing artifact", "true", "artifacts: [a]", "artifact-missing"],
    ["an exit status", "exit 3", "", "adapter-exit"],
    ["a command that is not there", "exec no-such-program-here", "", "adapter-exit"],
    ["a crash", "kill -SEGV $$", "", "adapter-crash"],
    ["a timeout", "sleep 60", "resources: { timeout: 300ms }", "timeout"],
    ["a child that ignores TERM", "trap '' TERM; sleep 60 & wait; sleep 60", "resources: { timeout: 300ms }", "timeout"],
    ["an echo of the prompt", "cat", "artifacts: [{ name: a, source: message }]", "empty-output"],
  ];
  it.each(failures)("%s", async (_name, command, more, reason) => {
    const wave = project({ "wave.yaml": `${worker(command)}steps:\n${step("a", more)}` });
    const run = await wave.wave("run");
    expectKind(run);
    expect(run.code).toBe(1);
    const last = wave
      .events()
      .filter((event) => event.type === "attempt-failed")
      .at(-1);
    expect(last?.failure.reason).toContain(reason);
    const finished = wave.events().find((event) => event.type === "run-finished");
    expect(finished).toMatchObject({ status: "failed", failure: { reason: "run-failed", steps: ["a"] } });
  });

  it("a child that forks and exits leaves nothing behind and does not hang", async () => {
    // A number of seconds that no other process sleeps: inside a sandbox process ids are its own.
    const mark = `61.${process.pid}${Date.now()}`;
    const wave = project({
      "wave.yaml": `${worker(`sleep ${mark} & echo $! > pid; exit 0`)}steps:\n${step("a", "artifacts: [{ name: pid, path: pid }]")}`,
    });
    const run = await wave.wave("run");
    expect(run.code).toBe(0);
    const alive = await wave.wave("status", "latest");
    expect(alive.code).toBe(0);
    expect(readFileSync(path.join(wave.root, "pid"), "utf8")).toMatch(/^\d+\n$/);
    // Gone, or dead and not yet taken away by its new parent.
    const processes = spawnSync("ps", ["-eo", "stat=,args="], { encoding: "utf8" }).stdout.split("\n");
    expect(processes.filter((line) => line.includes(mark) && !line.startsWith("Z"))).toEqual([]);
  });

  it("200 MB of output that is not UTF-8", async () => {
    const wave = project({ "wave.yaml": `${worker("head -c 200000000 /dev/zero | tr '\\\\0' '\\\\377'; echo end")}steps:\n${step("a")}` });
    const run = await wave.wave("run");
    expectKind(run);
    expect(run.code).toBe(0);
    const logs = await wave.wave("logs", "a");
    expect(logs.stdout.length).toBeLessThan(70_000_000);
    expect(logs.stdout.endsWith("end\n")).toBe(true);
  }, 60_000);
});

describe("state", () => {
  const manifest = { "wave.yaml": `${worker("true")}steps:\n${step("a")}` };

  it("that is a file", async () => {
    const wave = project({ ...manifest, ".wave/state": "not a directory" });
    const run = await wave.wave("run");
    expectKind(run);
    expect(run.code).toBe(4);
    expect(run.stderr).toContain(".wave/state");
  });

  it("that cannot be written", async () => {
    const wave = project(manifest);
    mkdirSync(path.join(wave.root, ".wave/state"), { recursive: true });
    chmodSync(path.join(wave.root, ".wave/state"), 0o555);
    const run = await unprivileged(wave, "run");
    expectKind(run);
    expect(run.code).toBe(4);
    expect(run.stderr).toContain("EACCES");
  });

  it("on a full disk loses nothing that was reported", async () => {
    // A file size limit stands in for a full disk: it fails the same write, with EFBIG where a disk gives ENOSPC.
    const wave = project({
      "wave.yaml": `${worker("head -c 3000 /dev/zero > $WAVE_OUTPUT_DIR/a")}steps:\n${Array.from({ length: 40 }, (_, index) => step(`s${index}`, "artifacts: [a]")).join("")}`,
    });
    const run = spawnSync("sh", ["-c", `ulimit -f 24; trap '' XFSZ; exec "${process.execPath}" "${cli}" run --json`], {
      cwd: wave.root,
      encoding: "utf8",
    });
    expect(run.stderr).not.toMatch(/^\s+at .*(?:file:|node:|\.js:).*\d+:\d+\)?$/m);
    expect(run.status).toBe(4);
    const reported = run.stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { writer?: string; seq?: number });
    const stored = new Set(wave.events().map((event) => `${event.writer}:${event.seq}`));
    expect(reported.filter((event) => event.writer !== undefined && !stored.has(`${event.writer}:${event.seq}`))).toEqual([]);
    const resumed = await wave.wave("resume");
    expect(resumed.code).toBe(0);
  });

  it("in another project through a symlink is still that project's", async () => {
    const wave = project(manifest);
    const elsewhere = project({});
    mkdirSync(path.join(wave.root, ".wave"));
    symlinkSync(elsewhere.root, path.join(wave.root, ".wave/state"));
    expect((await wave.wave("run")).code).toBe(0);
    expect((await wave.wave("status", "latest")).code).toBe(0);
  });
});

describe("words", () => {
  it("that make no sense exit 2 with a suggestion", async () => {
    const wave = project({ "wave.yaml": `${worker("true")}steps:\n${step("a")}` });
    for (const words of [
      ["rum"],
      ["run", "--concurency", "2"],
      ["run", "--concurrency", "0"],
      ["status", "nothing-like-it"],
      ["run", "no-such-pipeline"],
      ["run", "-f", "missing.yaml"],
    ]) {
      const finished = await wave.wave(...words);
      expectKind(finished);
      expect({ words, code: finished.code, said: finished.stderr !== "" }).toEqual({ words, code: 2, said: true });
    }
  });
});
