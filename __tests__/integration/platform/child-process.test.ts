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

/** Whether the process whose id is in a file still runs. A zombie does not. */
function runs(file: string): boolean {
  const pid = Number(readFileSync(path.join(cwd, file), "utf8"));
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe("a child that ends by itself", () => {
  test("gets its arguments unchanged, only the given environment, and the prompt on standard input", async () => {
    const script =
      "process.stdin.pipe(process.stdout); console.error(JSON.stringify([process.argv.slice(1), process.env.A, process.cwd()]))";
    const ran = await run([process.execPath, "-e", script, "a b", "$HOME"], { env: { A: "1" }, stdinFile: fileWith("the prompt") });
    expect(ran).toMatchObject({
      outcome: { kind: "exited", code: 0 },
      stdout: "the prompt",
      stderr: `${JSON.stringify([["a b", "$HOME"], "1", cwd])}\n`,
    });
  });

  test("a command string runs in a shell", async () => {
    expect(await run("echo one | tr a-z A-Z; exit 3")).toMatchObject({ outcome: { kind: "exited", code: 3 }, stdout: "ONE\n" });
  });

  test("reports the signal that killed it", async () => {
    expect((await run("kill -SEGV $$")).outcome).toEqual({ kind: "killed", signal: "SIGSEGV" });
  });

  test("does not fail if it does not read a long prompt", async () => {
    expect((await run(["true"], { stdinFile: fileWith("x".repeat(5_000_000)) })).outcome).toEqual({ kind: "exited", code: 0 });
  });

  test("has empty input without a prompt", async () => {
    expect(await run("cat; echo end")).toMatchObject({ outcome: { kind: "exited", code: 0 }, stdout: "end\n" });
  });

  test("streams 200 MB without keeping them", async () => {
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

describe.runIf(process.platform === "linux")("inherited descriptors", () => {
  test("are not passed to children, whatever their number: a directory would lead out of any sandbox", async () => {
    const fixture = await bundledChild(new URL("../../rig/descriptor-child.ts", import.meta.url));
    const directory = openSync(cwd, "r");
    try {
      // Node itself closes low descriptors. These are after a gap, as with some shells and runners.
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
  ])("fails with %s", async (code, command) => {
    // An inaccessible directory in PATH would change the error.
    expect((await run(command, { env: { PATH: "/usr/bin:/bin" } })).outcome).toMatchObject({
      kind: "not-started",
      code,
      detail: expect.stringContaining(code),
    });
  });

  test("fails for a missing directory", async () => {
    expect((await run(["true"], { cwd: path.join(cwd, "none") })).outcome).toMatchObject({ kind: "not-started", code: "ENOENT" });
  });

  test("does not start after cancellation", async () => {
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

  test("after TERM the group has the grace period to end by itself", async () => {
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

  test.runIf(hasMemoryGroups())("the kernel's memory limit covers processes that left the child's group and session", async () => {
    const hog = "const kept=[]; setInterval(() => kept.push(Buffer.alloc(40_000_000, 1)), 1)";
    const limit = 200_000_000;
    const away = `(setsid "${process.execPath}" -e "${hog}" </dev/null >/dev/null 2>&1 &) ; sleep 60`;
    const { outcome } = await run(away, { memoryLimitBytes: limit });
    expect(outcome).toMatchObject({ kind: "memory-exceeded", limitBytes: limit });
    expect(outcome.kind === "memory-exceeded" && outcome.peakBytes).toBeGreaterThanOrEqual(limit);
  });

  test("a child within its memory limit is not killed", async () => {
    expect((await run("sleep 0.4", { memoryLimitBytes: 500_000_000 })).outcome).toEqual({ kind: "exited", code: 0 });
  });
});

describe("processes and pipes after a child's exit", () => {
  test("a background process is killed", async () => {
    const ran = await run("sleep 30 & echo $! > left; echo done");
    expect(ran).toMatchObject({ outcome: { kind: "exited", code: 0 }, stdout: "done\n" });
    expect(ran.ms).toBeLessThan(3000);
    expect(runs("left")).toBe(false);
  });

  test("a child that closes its outputs before it exits causes no delay", async () => {
    const tries = Array.from({ length: 10 }, () => run("exec >/dev/null 2>&1; sleep 0.05"));
    const ran = await Promise.all(tries);
    expect(ran.map(({ outcome }) => outcome)).toEqual(tries.map(() => ({ kind: "exited", code: 0 })));
    // If another process holds the outputs open, a child takes half a second.
    expect(Math.min(...ran.map(({ ms }) => ms))).toBeLessThan(450);
  });

  test("a grandchild that left the group and holds the pipes causes no hang", async () => {
    const script =
      "const c = require('node:child_process').spawn('sleep', ['30'], { detached: true, stdio: 'inherit' }); require('node:fs').writeFileSync('away', String(c.pid)); c.unref(); console.log('done')";
    const ran = await run([process.execPath, "-e", script]);
    expect(ran).toMatchObject({ outcome: { kind: "exited", code: 0 }, stdout: "done\n" });
    expect(ran.ms).toBeLessThan(3000);
    if (runs("away")) process.kill(Number(readFileSync(path.join(cwd, "away"), "utf8")), "SIGKILL");
  });
});
