import { type StdioOptions, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SpawnOutcome } from "../../../src/core/ports.ts";
import { type ChildRequest, spawnChild } from "../../../src/platform/child-process.ts";
import { hasMemoryGroups } from "../../../src/platform/memory-group.ts";
import { memoryLimitEnforced } from "../../../src/platform/process-group.ts";
import { bundledChild } from "../../rig/bundled-child.ts";

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(path.join(tmpdir(), "wave-child-"));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

interface Ran {
  readonly outcome: SpawnOutcome;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

async function run(command: ChildRequest["command"], members: Partial<ChildRequest> = {}): Promise<Ran> {
  const printed = { stdout: "", stderr: "" };
  const began = performance.now();
  const outcome = await spawnChild({
    command,
    cwd,
    env: { PATH: process.env.PATH ?? "" },
    timeoutMs: 60_000,
    graceMs: 300,
    signal: new AbortController().signal,
    onOutput: (chunk, stream) => {
      printed[stream] += Buffer.from(chunk).toString();
    },
    ...members,
  });
  return { outcome, ...printed, ms: performance.now() - began };
}

function fileWith(text: string): string {
  const file = path.join(cwd, "input");
  writeFileSync(file, text);
  return file;
}

/** Whether a process whose id was written to a file still runs; a zombie does not. */
function runs(file: string): boolean {
  const pid = Number(readFileSync(path.join(cwd, file), "utf8"));
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe("a child that ends by itself", () => {
  test("argv is passed as it is, with only the environment that is given, and the prompt on stdin", async () => {
    const script =
      "process.stdin.pipe(process.stdout); console.error(JSON.stringify([process.argv.slice(1), process.env.A, process.cwd()]))";
    const ran = await run([process.execPath, "-e", script, "a b", "$HOME"], { env: { A: "1" }, stdinFile: fileWith("the prompt") });
    expect(ran).toMatchObject({
      outcome: { kind: "exited", code: 0 },
      stdout: "the prompt",
      stderr: `${JSON.stringify([["a b", "$HOME"], "1", cwd])}\n`,
    });
  });

  test("a text goes through a shell", async () => {
    expect(await run("echo one | tr a-z A-Z; exit 3")).toMatchObject({ outcome: { kind: "exited", code: 3 }, stdout: "ONE\n" });
  });

  test("its own signal is told", async () => {
    expect((await run("kill -SEGV $$")).outcome).toEqual({ kind: "killed", signal: "SIGSEGV" });
  });

  test("a child that does not read a long prompt is no failure", async () => {
    expect((await run(["true"], { stdinFile: fileWith("x".repeat(5_000_000)) })).outcome).toEqual({ kind: "exited", code: 0 });
  });

  test("without a prompt it reads an empty input", async () => {
    expect(await run("cat; echo end")).toMatchObject({ outcome: { kind: "exited", code: 0 }, stdout: "end\n" });
  });

  test("200 MB stream through without being kept", async () => {
    let size = 0;
    let most = 0;
    const before = process.memoryUsage().rss;
    const ran = await run("yes 'a line of output' | head -c 200000000", {
      onOutput: (chunk) => {
        size += chunk.length;
        most = Math.max(most, process.memoryUsage.rss() - before);
      },
    });
    expect({ outcome: ran.outcome, size, lean: most < 100_000_000 }).toEqual({
      outcome: { kind: "exited", code: 0 },
      size: 200_000_000,
      lean: true,
    });
  });
});

describe.runIf(process.platform === "linux")("descriptors that wave inherited", () => {
  test("do not reach its children, wherever they stand: a directory would lead out of any fence", async () => {
    const fixture = await bundledChild(new URL("../../rig/descriptor-child.ts", import.meta.url));
    const directory = openSync(cwd, "r");
    try {
      // Node itself closes the low ones; these stand beyond a gap, as those of some shells and runners do.
      const stdio = [
        "ignore",
        "pipe",
        "pipe",
        ...Array.from({ length: 97 }, (_, at) => ([77, 99].includes(at + 3) ? directory : "ignore")),
      ];
      const { stdout, stderr } = spawnSync(process.execPath, [fixture.file], { stdio: stdio as StdioOptions, encoding: "utf8" });
      const lines = stdout.split("\n");
      expect({ high: lines.filter((line) => /^[2-9]\d /.test(line)), stderr }).toEqual({
        high: ["77 /dev/null", "99 /dev/null"],
        stderr: "",
      });
      expect(lines.filter((line) => line.endsWith(cwd))).toEqual([]);
    } finally {
      closeSync(directory);
      fixture.close();
    }
  });
});

describe("a child that cannot start", () => {
  test.each([
    ["ENOENT", ["no-such-program"]],
    ["EACCES", ["/etc/passwd"]],
    ["E2BIG", ["true", "x".repeat(4_000_000)]],
  ])("%s", async (code, command) => {
    // A directory of PATH that may not be looked into would be what the system tells.
    expect((await run(command, { env: { PATH: "/usr/bin:/bin" } })).outcome).toMatchObject({
      kind: "not-started",
      code,
      detail: expect.stringContaining(code),
    });
  });

  test("a directory that is not there", async () => {
    expect((await run(["true"], { cwd: path.join(cwd, "none") })).outcome).toMatchObject({ kind: "not-started", code: "ENOENT" });
  });

  test("a run that was cancelled before", async () => {
    expect((await run("touch started", { signal: AbortSignal.abort("SIGINT") })).outcome).toEqual({ kind: "cancelled" });
  });
});

describe("limits", () => {
  test("the time limit ends it", async () => {
    const ran = await run("echo begun; sleep 30", { timeoutMs: 300 });
    expect(ran).toMatchObject({ outcome: { kind: "timed-out", limitMs: 300 }, stdout: "begun\n" });
    expect(ran.ms).toBeLessThan(3000);
  });

  test("a child that ignores TERM gets KILL after the grace, and its group with it", async () => {
    const ran = await run("trap '' TERM; (trap '' TERM; sleep 30) & echo $! > stubborn; while :; do sleep 1; done", { timeoutMs: 300 });
    expect(ran.outcome).toEqual({ kind: "timed-out", limitMs: 300 });
    expect(ran.ms).toBeLessThan(4000);
    expect(runs("stubborn")).toBe(false);
  });

  test("after TERM the group may use the grace to end in order", async () => {
    const script =
      "process.on('SIGTERM', () => setTimeout(() => { console.log('tidied'); process.exit(0) }, 200)); console.log('ready'); setInterval(() => {}, 1000)";
    const controller = new AbortController();
    let printed = "";
    const ran = await run(`"${process.execPath}" -e "${script}" & wait`, {
      graceMs: 5000,
      signal: controller.signal,
      onOutput: (chunk) => {
        printed += Buffer.from(chunk).toString();
        if (printed === "ready\n") controller.abort("SIGINT");
      },
    });
    expect({ outcome: ran.outcome, printed }).toEqual({ outcome: { kind: "cancelled" }, printed: "ready\ntidied\n" });
    expect(ran.ms).toBeLessThan(4000);
  });

  test.runIf(memoryLimitEnforced)("the memory limit covers the whole group", async () => {
    const script = "const kept=[]; setInterval(() => kept.push(Buffer.alloc(20_000_000, 1)), 20)";
    const limit = 300_000_000;
    const { outcome } = await run(`"${process.execPath}" -e "${script}"; true`, { memoryLimitBytes: limit });
    expect(outcome).toMatchObject({ kind: "memory-exceeded", limitBytes: limit });
    expect(outcome.kind === "memory-exceeded" && outcome.peakBytes).toBeGreaterThanOrEqual(limit);
  });

  test.runIf(hasMemoryGroups())("the kernel's memory limit holds for what left the child's group and session, and says so", async () => {
    const hog = "const kept=[]; setInterval(() => kept.push(Buffer.alloc(40_000_000, 1)), 1)";
    const limit = 200_000_000;
    const away = `(setsid "${process.execPath}" -e "${hog}" </dev/null >/dev/null 2>&1 &) ; sleep 60`;
    const { outcome } = await run(away, { memoryLimitBytes: limit });
    expect(outcome).toMatchObject({ kind: "memory-exceeded", limitBytes: limit });
    expect(outcome.kind === "memory-exceeded" && outcome.peakBytes).toBeGreaterThanOrEqual(limit);
  });

  test("a child within its memory limit is left alone", async () => {
    expect((await run("sleep 0.4", { memoryLimitBytes: 500_000_000 })).outcome).toEqual({ kind: "exited", code: 0 });
  });
});

describe("what a child leaves behind", () => {
  test("a process in the background is ended with it", async () => {
    const ran = await run("sleep 30 & echo $! > left; echo done");
    expect(ran).toMatchObject({ outcome: { kind: "exited", code: 0 }, stdout: "done\n" });
    expect(ran.ms).toBeLessThan(3000);
    expect(runs("left")).toBe(false);
  });

  test("a child that closes its outputs before it exits is not waited for any longer", async () => {
    const tries = Array.from({ length: 10 }, () => run("exec >/dev/null 2>&1; sleep 0.05"));
    const ran = await Promise.all(tries);
    expect(ran.map(({ outcome }) => outcome)).toEqual(tries.map(() => ({ kind: "exited", code: 0 })));
    // Half a second is what a child costs whose outputs are held open by somebody else.
    expect(Math.min(...ran.map(({ ms }) => ms))).toBeLessThan(450);
  });

  test("a grandchild that left the group and holds the pipes does not hang us", async () => {
    const script =
      "const c = require('node:child_process').spawn('sleep', ['30'], { detached: true, stdio: 'inherit' }); require('node:fs').writeFileSync('away', String(c.pid)); c.unref(); console.log('done')";
    const ran = await run([process.execPath, "-e", script]);
    expect(ran).toMatchObject({ outcome: { kind: "exited", code: 0 }, stdout: "done\n" });
    expect(ran.ms).toBeLessThan(3000);
    if (runs("away")) process.kill(Number(readFileSync(path.join(cwd, "away"), "utf8")), "SIGKILL");
  });
});
