/** Standard streams that children open by path: output is neither lost nor accumulated, and no attempt hangs. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ChildRequest, spawnChild } from "../../../src/platform/child-process.ts";
import { project } from "../../rig/project.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(path.join(tmpdir(), "wave-streams-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function start(command: ChildRequest["command"], onOutput: ChildRequest["onOutput"], members: Partial<ChildRequest> = {}) {
  const env = { PATH: process.env["PATH"] ?? "" };
  const common = { timeoutMs: 60_000, graceMs: 300, signal: new AbortController().signal };
  return spawnChild({ command, cwd, env, ...common, onOutput, ...members });
}

/** Keeps the thread busy, so that the reader is slower than the child. */
function work(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

describe.runIf(process.platform === "linux")("streams opened by path", () => {
  test("a child that prints 50 MB to /dev/stderr waits for a slow reader, and no output is lost or accumulated", async () => {
    let size = 0;
    let most = 0;
    const before = process.memoryUsage.rss();
    const outcome = await start("yes 'a line of output' | head -c 50000000 >/dev/stderr", (chunk, stream) => {
      if (stream === "stderr") size += chunk.length;
      work(1);
      most = Math.max(most, process.memoryUsage.rss() - before);
    });
    expect({ outcome, size, lean: most < 50_000_000 }).toEqual({ outcome: { kind: "exited", code: 0 }, size: 50_000_000, lean: true });
  });

  test("a process of another session that opened the stream by path does not delay the attempt", async () => {
    const lines: string[] = [];
    const began = performance.now();
    const script = `setsid sh -c 'exec >/dev/stdout 2>/dev/stderr; echo $$ >left; echo opened; exec sleep 300' & while [ ! -s left ]; do :; done; echo done`;
    const outcome = await start(script, (chunk) => void lines.push(Buffer.from(chunk).toString()));
    const left = Number(readFileSync(path.join(cwd, "left"), "utf8"));
    try {
      expect([outcome, lines.join("").includes("done")]).toEqual([{ kind: "exited", code: 0 }, true]);
      expect(performance.now() - began).toBeLessThan(10_000);
    } finally {
      if (isAlive(left)) process.kill(left, "SIGKILL");
    }
  });

  test("a child that is killed at its time limit ends while it prints by path", async () => {
    let size = 0;
    const onOutput = (chunk: Uint8Array) => {
      size += chunk.length;
    };
    const outcome = await start("exec yes >/dev/stdout", onOutput, { timeoutMs: 300 });
    expect([outcome.kind, size > 0]).toEqual(["timed-out", true]);
  });

  test("both streams keep their own order and content, however often they are opened", async () => {
    const printed = { stdout: "", stderr: "" };
    const script =
      'for n in 1 2 3 4 5 6 7 8 9; do echo $n >/dev/stdout; echo $n >>/dev/stderr; done; node -e \'fs.writeSync(fs.openSync("/dev/stderr", "w"), "end")\'';
    const outcome = await start(script, (chunk, stream) => {
      printed[stream] += Buffer.from(chunk).toString();
    });
    const digits = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    expect({ outcome, ...printed }).toEqual({ outcome: { kind: "exited", code: 0 }, stdout: digits, stderr: `${digits}end` });
  });
});

describe.runIf(process.platform === "linux")("temporary names of streams", () => {
  test("are removed, even if Wave is killed while a step runs", async () => {
    const wave = project({
      "wave.yaml": JSON.stringify({
        steps: [{ id: "a", persona: "s", sandbox: "off", env: { UP: path.join(cwd, "up") } }],
        personas: { s: { adapter: "command", command: "echo up >/dev/stderr; touch $UP; exec sleep 300" } },
      }),
    });
    const { child, finished } = wave.start(["run"], { TMPDIR: cwd });
    await appears("up");
    child.kill("SIGKILL");
    await finished;
    expect(readdirSync(cwd).filter((name) => name.startsWith("wave-pipes-"))).toEqual([]);
  });
});

/** Resolves once a file exists in `cwd`. */
function appears(name: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(cwd, () => look());
    const look = () => {
      if (!existsSync(path.join(cwd, name))) return;
      watcher.close();
      resolve();
    };
    look();
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
