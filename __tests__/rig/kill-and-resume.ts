/** Kills a run at some instant and goes on with it: nothing that was reported is lost, no passed step is executed again, and the end is that of a run nobody disturbed. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "vitest";
import type { WaveEvent } from "../../src/core/event.ts";
import type { RunRecord } from "../../src/core/state.ts";
import { type Project, project } from "./project.ts";
import { seeded } from "./seeded.ts";

/**
 * Parallel steps, a contract that sends one back once, a join. In place, every execution of a step appends its id to a file, so that a repeated one shows;
 * out of a fence nothing gets there, and the journals have to say what was begun.
 */
const manifest = `
personas:
  worker: { command: 'echo $WAVE_STEP_ID >> "$EFFECTS"; echo "{\\"step\\":\\"$WAVE_STEP_ID\\"}" > "$WAVE_OUTPUT_DIR/out-$WAVE_STEP_ID.json"; echo $WAVE_STEP_ID > "$WAVE_STEP_ID.txt"', env: { EFFECTS: "\${EFFECTS}" } }
pipeline:
  name: killed
  steps:
    - { id: s0, persona: worker, artifacts: [out-s0] }
    - { id: s1, persona: worker, artifacts: [out-s1] }
    - id: s2
      persona: worker
      dependencies: [s0]
      artifacts: [out-s2]
      handover: { contract: { name: second, type: test_suite, command: 'test "$WAVE_ATTEMPT" -gt 1', on_failure: retry, backoff_strategy: none } }
    - { id: s3, persona: worker, dependencies: [s1, s2], artifacts: [out-s3] }
`;

/** What is left of a run, whoever executed it, and how often it was disturbed. */
function remains({ status, steps, changes, applied }: RunRecord) {
  const left = steps.map(({ id, status: ended, artifacts, changes: own }) => [
    id,
    ended,
    artifacts.map(({ name, digest }) => [name, digest]),
    own,
  ]);
  return { status, applied, changes, steps: left };
}

async function recordOf(wave: Project, run: string): Promise<RunRecord> {
  const { code, stdout, stderr } = await wave.wave("status", run, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return (JSON.parse(stdout) as { run: RunRecord }).run;
}

/** Where the steps of a project write down that they were executed: in the project, it would be a part of it. */
const effectsOf = (place: string, wave: Project) => path.join(place, path.basename(wave.root));

/** So many rounds, from a seed: each kills a run of its own after some events and some milliseconds. */
export async function killAndResume(rounds: number, seed: number, where: "isolated" | "in place"): Promise<void> {
  const text = where === "isolated" ? manifest : `sandbox: off\ndefaults: { workspace: shared }\n${manifest}`;
  const place = mkdtempSync(path.join(tmpdir(), "wave-effects-"));
  const calm = project({ "wave.yaml": text });
  const undisturbed = await calm.start(["run", "--json"], { EFFECTS: effectsOf(place, calm) }).finished;
  const wanted = remains(await recordOf(calm, JSON.parse(undisturbed.stdout.split("\n")[0] ?? "{}").run as string));
  expect(wanted.status).toBe("passed");
  expect(linesOf(effectsOf(place, calm)).sort()).toEqual(where === "isolated" ? [] : ["s0", "s1", "s2", "s2", "s3"]);
  const random = seeded(seed);
  const left = Array.from({ length: rounds }, () => [Math.floor(random() * 22), Math.floor(random() * 15)] as const);
  // Two at a time: while one waits for its disk, the other goes on.
  const lane = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await oneRound(text, place, wanted, ...next);
  };
  try {
    await Promise.all([lane(), lane()]);
  } finally {
    rmSync(place, { recursive: true });
  }
}

async function oneRound(text: string, place: string, wanted: unknown, killAfterEvents: number, delayMs: number): Promise<void> {
  const wave = project({ "wave.yaml": text });
  const env = { EFFECTS: effectsOf(place, wave) };
  const started = wave.start(["run", "--json", "--concurrency", "2"], env);
  await started.line(() => started.stdout().split("\n").length > killAfterEvents).catch(() => "");
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
  const passedBefore = stored.filter((event) => event.type === "attempt-passed").map((event) => event.step);
  const writersBefore = new Set(stored.map((event) => event.writer));
  const before = linesOf(env.EFFECTS).length;
  const resumed = await wave.start(["resume", run, "--json"], env).finished;
  expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: "" });
  const executed = linesOf(env.EFFECTS).slice(before);
  const begun = wave
    .events()
    .flatMap((event) => (event.type === "attempt-started" && !writersBefore.has(event.writer) ? [event.step] : []));
  expect([...executed, ...begun].filter((step) => passedBefore.includes(step))).toEqual([]);
  expect(remains(await recordOf(wave, run))).toEqual(wanted);
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
