/**
 * What an overlay itself costs an attempt, without the child that runs under it: made, collected, given back, over 5,000 tracked and 20,000 ignored files of
 * which one was changed. Needs what `npm ci` installs, and a Linux that mounts overlays:
 *
 *     node .ci/run-ts.mjs bench/overlay.ts [TIMES]      30 times by default
 *
 * The overlay is mounted where the child starts; that part is told as `child`. It measures and does not judge; the budget is printed beside it.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { localBlobs } from "../src/blobs/local-blobs.ts";
import { digestOfBytes } from "../src/core/digest.ts";
import type { Step } from "../src/core/pipeline.ts";
import type { Result } from "../src/core/result.ts";
import { createRedactor } from "../src/redaction/redactor.ts";
import { probeIsolation } from "../src/sandbox/isolation.ts";
import { isolatedProvider } from "../src/workspace/isolated.ts";

const times = Number(process.argv[2] ?? 30);
const scratch = mkdtempSync(path.join(tmpdir(), "wave-bench-"));
const root = path.join(scratch, "project");
const stateDir = path.join(root, ".wave/state");
const origin = { file: "wave.yaml", range: { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } } };

const step: Step = {
  ...{ id: "a", origin, persona: { name: "w", systemPrompt: "", digest: digestOfBytes("w") }, dependencies: [], inputs: [], artifacts: [] },
  ...{
    contracts: [],
    permissions: { layers: [] },
    resources: { timeoutMs: 60_000, diskLimitBytes: 10e9 },
    changes: "optional",
    changesInclude: [],
    env: {},
  },
  ...{ secrets: [], workspace: "default", sandbox: "off", reuse: false, reuseIgnore: [], optional: false, labels: {} },
};

try {
  fill("src", 5000);
  fill("node_modules", 20_000);
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(path.join(root, ".gitignore"), "node_modules\n.wave\n");
  git("init", "-q");
  git("add", ".");
  git("-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "files");
  const isolation = await probeIsolation({ root, stateDir, env: process.env });
  if (!isolation.overlay) throw new Error(`no overlays here: ${isolation.refused.join("; ")}`);
  const setting = { root, stateDir, env: process.env, isolation, blobs: localBlobs(stateDir), redactor: createRedactor([]) };
  const provider = isolatedProvider(setting);
  const rows: number[][] = [];
  for (let attempt = 1; attempt <= times + 3; attempt++) rows.push(await once(provider, attempt));
  const counted = rows.slice(3);
  const of = (column: number) => median(counted.map((row) => row[column] ?? 0)).toFixed(1);
  const own = median(counted.map(([made = 0, , collected = 0, given = 0]) => made + collected + given));
  console.log(`made ${of(0)} ms, collected ${of(2)} ms, given back ${of(3)} ms: ${own.toFixed(1)} ms together; child ${of(1)} ms`);
  console.log("budget: at most 30 ms an attempt");
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Milliseconds of making, the child, collecting and giving back. */
async function once(provider: ReturnType<typeof isolatedProvider>, attempt: number): Promise<number[]> {
  const moments = [performance.now()];
  const workspace = must(await provider.open({ runId: "bench", step, attempt, inputs: [], task: () => "" }));
  moments.push(performance.now());
  const ended = await workspace.spawn({
    command: ["sh", "-c", `echo ${attempt} > src/0/0.txt`],
    ...{ env: {}, timeoutMs: 60_000, signal: new AbortController().signal, role: "adapter", onOutput: () => undefined },
  });
  if (ended.kind !== "exited" || ended.code !== 0) throw new Error(JSON.stringify(ended));
  moments.push(performance.now());
  const changes = must(await workspace.changeset())?.changes;
  if (changes?.length !== 1) throw new Error(`${changes?.length} changes`);
  moments.push(performance.now());
  await workspace.discard("passed");
  moments.push(performance.now());
  return moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0));
}

function fill(name: string, count: number): void {
  for (let at = 0; at < count; at += 100) {
    const inside = path.join(root, name, String(at / 100));
    mkdirSync(inside, { recursive: true });
    for (let file = 0; file < 100; file++) writeFileSync(path.join(inside, `${file}.txt`), `file ${at + file}\n`.repeat(20));
  }
}

function git(...words: string[]): void {
  execFileSync("git", words, { cwd: root });
}

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
