/** A run that is killed at any instant is readable, loses nothing it reported, and is resumed without repeating passed work. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { WaveEvent } from "../../src/model/event.ts";
import { type Project, project } from "../rig/project.ts";

const steps = 8;
const rounds = 34;

/** Every execution of a step appends its id to a file, so that a repeated one shows. */
const manifest = `
personas:
  worker: { command: 'echo $WAVE_STEP_ID >> "$EFFECTS"; echo "{\\"step\\":\\"$WAVE_STEP_ID\\"}" > "$WAVE_OUTPUT_DIR/out-$WAVE_STEP_ID.json"; sleep 0.02', env: { EFFECTS: "\${EFFECTS}" } }
steps:
${Array.from({ length: steps }, (_, index) => `  - { id: s${index}, persona: worker, artifacts: [out-s${index}]${index < 2 ? "" : `, dependencies: [s${index - 2}], inputs: [out-s${index - 2}]`} }`).join("\n")}
`;

/** A seeded generator (mulberry32), so that a failing round can be run again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

async function killAndResume(wave: Project, killAfterEvents: number, delayMs: number): Promise<void> {
  const effects = path.join(wave.root, "..", `${path.basename(wave.root)}.effects`);
  const env = { EFFECTS: effects };
  const started = wave.start(["run", "--json", "--concurrency", "2"], env);
  const seen = started.line(() => started.stdout().split("\n").length > killAfterEvents).catch(() => "");
  await seen;
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  started.child.kill("SIGKILL");
  const end = await started.finished;
  const reported = end.stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as WaveEvent);
  const stored = wave.events();
  const ids = new Set(stored.map((event) => `${event.writer}:${event.seq}`));
  expect(reported.filter((event) => !ids.has(`${event.writer}:${event.seq}`))).toEqual([]);
  const run = reported[0]?.run;
  if (run === undefined) return;
  const status = await wave.wave("status", run, "--json");
  expect({ code: status.code, stderr: status.stderr }).toEqual({ code: 0, stderr: "" });
  const record = JSON.parse(status.stdout).run as { status: string };
  expect(["interrupted", "passed"]).toContain(record.status);
  const passedBefore = stored.filter((event) => event.type === "attempt-passed").map((event) => event.step);
  const effectsBefore = linesOf(effects);
  const resumed = await wave.start(["resume", run, "--json"], env).finished;
  expect(resumed.stderr).toBe("");
  expect(resumed.code).toBe(0);
  const effectsAfter = linesOf(effects).slice(effectsBefore.length);
  expect(effectsAfter.filter((step) => passedBefore.includes(step))).toEqual([]);
  const final = JSON.parse((await wave.wave("status", run, "--json")).stdout).run as { status: string; steps: { status: string }[] };
  expect([final.status, ...final.steps.map((step) => step.status)]).toEqual(Array.from({ length: steps + 1 }, () => "passed"));
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}

describe("kill -9", () => {
  for (const block of [0, 1, 2]) {
    it(`at ${rounds} random instants, block ${block}`, { timeout: 120_000 }, async () => {
      const random = seeded(4242 + block);
      for (let round = 0; round < rounds; round++) {
        await killAndResume(project({ "wave.yaml": manifest }), Math.floor(random() * 30), Math.floor(random() * 15));
      }
    });
  }
});
