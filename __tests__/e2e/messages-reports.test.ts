/** What reports of runs print: the place, the cause and the next step. */
import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { cellWidth } from "../../src/text/printable.ts";
import { cli, type Finished, type Project, project } from "../rig/project.ts";

const report = 'echo out > out.txt; echo made > "$WAVE_OUTPUT_DIR/report.md"';

function manifest(command: string): string {
  return JSON.stringify({
    personas: { worker: { command } },
    pipeline: { name: "demo", steps: [{ id: "work", persona: "worker", artifacts: ["report"] }] },
  });
}

/** Runs a printed command in a shell, with `wave` on PATH. */
function shell(line: string, cwd: string): Promise<Finished> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", LANG: "C.UTF-8" };
  const child = spawn("sh", ["-c", `wave() { '${process.execPath}' '${cli}' "$@"; }; ${line}`], { cwd, env });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr })));
}

/** The command after the colon at the end of a line. */
function commandIn(text: string, name: string): string {
  return new RegExp(`: (wave ${name} .*)$`, "m").exec(text)?.[1] ?? "";
}

async function passedRun(): Promise<{ readonly wave: Project; readonly stderr: string }> {
  const wave = project({ "wave.yaml": manifest(report) });
  const { code, stderr } = await wave.wave("run");
  expect(code).toBe(0);
  return { wave, stderr };
}

describe("wave status after a rollback", () => {
  it("shows `rolled back` in the list and for the run, with a command that executes the steps again", async () => {
    const { wave } = await passedRun();
    expect((await wave.wave("rollback", "latest", "--yes")).code).toBe(0);
    const [list, one] = [(await wave.wave("status")).stdout, (await wave.wave("status", "latest")).stdout];
    for (const text of [list, one]) {
      expect(text).toContain("rolled back");
      expect(text).not.toContain("✓ passed");
      expect(commandIn(text, "resume")).toMatch(/^wave resume [0-9a-f]{10}$/);
    }
    expect((await shell(commandIn(list, "resume"), wave.root)).code).toBe(0);
    expect((await wave.wave("status")).stdout).toContain("✓ passed");
  });

  it("prints a command that works in the caller's directory", async () => {
    const { wave } = await passedRun();
    wave.write({ "elsewhere/f": "" });
    expect((await wave.wave("rollback", "latest", "--yes")).code).toBe(0);
    const status = await shell("cd elsewhere && wave status -C ..", wave.root);
    expect((await shell(`cd elsewhere && ${commandIn(status.stdout, "resume")}`, wave.root)).code).toBe(0);
  });
});

describe("an artifact", () => {
  it("is listed with a command that prints it, in the summary and by `wave status`", async () => {
    const { wave, stderr } = await passedRun();
    const status = await wave.wave("status", "latest");
    for (const text of [stderr, status.stdout]) {
      const [, command = ""] = /^ +report +5B +(wave artifacts .*)$/m.exec(text) ?? [];
      expect(text).not.toMatch(/sha256/);
      expect(await shell(command, wave.root)).toMatchObject({ code: 0, stdout: "made\n", stderr: "" });
    }
  });

  it("that the step does not have is reported with those that it has", async () => {
    const { wave } = await passedRun();
    const failed = await wave.wave("artifacts", "latest", "work", "repotr");
    expect(failed).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(/`work`.*`repotr`[\s\S]*`report`/) });
    expect(await wave.wave("artifacts", "latest", "work", "report", "--verify")).toMatchObject({ code: 2 });
  });
});

describe("the end of a run that is printed as lines", () => {
  it("contains one line that it passed", async () => {
    const { stderr } = await passedRun();
    expect(stderr.match(/^✓ .*(run|demo) passed .*$/gm)).toHaveLength(1);
  });

  it("contains a failure once in full, and in the summary its title and the command of its log", async () => {
    const wave = project({ "wave.yaml": manifest("echo start; printf '  if x:\\n    boom\\n' >&2; exit 3") });
    const { code, stderr } = await wave.wave("run");
    expect(code).toBe(1);
    expect(stderr.match(/boom/g)).toHaveLength(1);
    expect(stderr.match(/^ +│ .*$/gm)).toEqual(["      │ start", "      │   if x:", "      │     boom"]);
    const summary = stderr.slice(stderr.indexOf("✗ demo failed"));
    expect(summary).toContain("the command exited with 3");
    expect((await shell(commandIn(summary, "logs"), wave.root)).stdout).toContain("boom");
    expect(commandIn(summary, "resume")).toMatch(/^wave resume [0-9a-f]{10}$/);
  });
});

describe("a code frame", () => {
  it("is at most 100 columns wide if stderr is not a terminal, with the range underlined", async () => {
    const wave = project({
      "wave.yaml": `steps:\n  - { id: a, task: "${"日本 ".repeat(60)}", pesona: navigator, name: "${"x".repeat(200)}" }\n`,
    });
    const { code, stderr } = await wave.wave("validate");
    expect(code).toBe(2);
    const lines = stderr.split("\n");
    const frame = lines.filter((line) => /^ +\d* \|/.test(line));
    expect(Math.max(...frame.map(cellWidth))).toBeLessThanOrEqual(100);
    expect(stderr).toContain("pesona: navigator");
    expect(frame.some((line) => /\| +~{6}$/.test(line))).toBe(true);
  });
});
