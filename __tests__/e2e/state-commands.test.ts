/** `cleanup`, `cancel` and `state`, through the built binary. */
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { localBlobs } from "../../src/blobs/local-blobs.ts";
import type { WaveEvent } from "../../src/core/event.ts";
import { verifyState } from "../../src/engine/verify-state.ts";
import { type Project, project } from "../rig/project.ts";
import { seeded } from "../rig/seeded.ts";
import { must, storeIn } from "../rig/state-rig.ts";
import { storedRun } from "../rig/stored-runs.ts";

const manifest = (command: string) => `
pipeline: { name: demo, steps: [{ id: a, persona: worker, artifacts: [out] }] }
personas:
  worker: { adapter: command, command: '${command}' }
`;
const works = manifest('echo "it was made at $(date +%N)" > "$WAVE_OUTPUT_DIR/out.txt"');
const state = (wave: Project, ...parts: string[]) => path.join(wave.root, ".wave/state", ...parts);
const json = (text: string) => JSON.parse(text) as Record<string, unknown>;

async function run(wave: Project, ...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await wave.wave(...words);
  return { code, stdout, stderr };
}

/** Blobs, as if they had been stored long ago. */
function blobs(wave: Project): string[] {
  const directory = state(wave, "blobs/sha256");
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => name.includes(path.sep));
  for (const name of files) utimesSync(path.join(directory, name), 1_700_000_000, 1_700_000_000);
  return files;
}

function journalOf(wave: Project, id: string): string {
  const directory = state(wave, "journals", id);
  return path.join(directory, readdirSync(directory)[0] ?? "");
}

describe("wave cleanup", () => {
  it("shows what would go, takes it, and leaves a state that verifies", async () => {
    const wave = project({ "wave.yaml": works });
    const runs: string[] = [];
    for (let round = 0; round < 3; round++) {
      expect((await run(wave, "run")).code).toBe(0);
      runs.unshift(wave.events().find(({ run: id }) => !runs.includes(id))?.run ?? "");
    }
    const before = blobs(wave).length;
    const dry = await run(wave, "cleanup", "--keep-last", "1", "--dry-run");
    expect(dry).toMatchObject({ code: 0, stderr: "" });
    for (const id of runs.slice(1)) expect(dry.stdout).toContain(`run ${id} (demo, passed)`);
    expect(dry.stdout).toMatch(/2 blobs that no run refers to {2}\d+B\n.+ would be removed\n$/);
    expect(blobs(wave)).toHaveLength(before);
    const done = json((await run(wave, "cleanup", "--keep-last", "1", "--json")).stdout);
    expect(done).toMatchObject({ ok: true, dryRun: false, runs: runs.slice(1).map((id) => ({ id })), gone: { count: 2 } });
    expect(blobs(wave)).toHaveLength(before - 2);
    expect(readdirSync(state(wave, "journals"))).toEqual(runs.slice(0, 1));
    expect((await run(wave, "status")).stdout.match(/archived/g)).toHaveLength(2);
    expect(await run(wave, "state", "verify")).toMatchObject({ code: 0, stdout: expect.stringContaining("2 archived runs") });
    expect(await run(wave, "cleanup")).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing to clean up") });
  });

  it("leaves a project that goes on: nothing that went is taken for work that is there", async () => {
    const wave = project({ "wave.yaml": manifest('echo made > note.txt; echo done > "$WAVE_OUTPUT_DIR/out.txt"') });
    expect(await run(wave, "run")).toMatchObject({ code: 0 });
    const id = wave.events()[0]?.run ?? "";
    expect(readFileSync(path.join(wave.root, "note.txt"), "utf8")).toBe("made\n");
    blobs(wave);
    expect(await run(wave, "cleanup", "--older-than", "0s")).toMatchObject({ code: 0 });
    expect(blobs(wave)).toEqual([]);
    expect(await run(wave, "plan")).toMatchObject({ code: 0 });
    for (const words of [
      ["resume", id],
      ["rollback", id, "--yes"],
    ])
      expect(await run(wave, ...words), words[0]).toMatchObject({ code: words[0] === "resume" ? 0 : 2 });
    expect(await run(wave, "run", "--reuse")).toMatchObject({ code: 0 });
    expect(wave.events().map(({ type }) => type)).toContain("attempt-passed");
    expect(await run(wave, "state", "verify")).toMatchObject({ code: 0, stdout: expect.stringContaining("1 archived run") });
  });

  it("that is killed at any instant leaves every run readable, and the next does the rest", { timeout: 120_000 }, async () => {
    const wave = project({ "wave.yaml": works });
    for (let count = 0; count < 24; count++) await storedRun(state(wave), `run${count}`);
    blobs(wave);
    await run(wave, "status");
    const random = seeded(77);
    for (let round = 0; round < 12; round++) {
      const cleaning = wave.start(["cleanup", "--keep-last", String(24 - 2 * (round + 1))]);
      await new Promise((resolve) => setTimeout(resolve, 150 + random() * 350));
      cleaning.child.kill("SIGKILL");
      await cleaning.finished;
      const stateDir = state(wave);
      expect(must(await verifyState({ stateDir, blobs: localBlobs(stateDir) })).findings).toEqual([]);
      expect(must(await storeIn(stateDir).listRuns()).map(({ status }) => status)).toEqual(Array.from({ length: 24 }, () => "passed"));
    }
    expect(await run(wave, "cleanup", "--status", "passed")).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(state(wave, "journals"))).toEqual([]);
    expect(existsSync(state(wave, "trash"))).toBe(false);
    expect(await run(wave, "state", "verify")).toMatchObject({ code: 0, stdout: expect.stringContaining("24 archived runs") });
  });

  it("takes no word that it does not know", async () => {
    const wave = project({ "wave.yaml": works });
    for (const words of [
      ["--older-than", "soon"],
      ["--status", "running"],
      ["--keep-last", "none"],
    ])
      expect(await run(wave, "cleanup", ...words), words.join(" ")).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: /) });
    expect(existsSync(state(wave))).toBe(false);
  });
});

describe("wave cancel", () => {
  it("ends a run that another process executes, which can be resumed", async () => {
    const wave = project({ "wave.yaml": manifest('[ -e ready ] && echo done > "$WAVE_OUTPUT_DIR/out.txt" || sleep 60') });
    const started = wave.start(["run", "--json"]);
    const begun = JSON.parse(await started.line((line) => line.includes('"attempt-started"'))) as WaveEvent;
    const cancelled = await run(wave, "cancel", begun.run, "--json");
    expect({ code: cancelled.code, stderr: cancelled.stderr }).toEqual({ code: 0, stderr: "" });
    expect(json(cancelled.stdout)).toMatchObject({ ok: true, run: { id: begun.run, status: "cancelled" } });
    expect((await started.finished).code).toBe(130);
    expect(await run(wave, "cancel", begun.run)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("not active: it was cancelled"),
    });
    writeFileSync(path.join(wave.root, "ready"), "");
    expect(await run(wave, "cancel", "nobody")).toMatchObject({ code: 2 });
  });
});

describe("state that lies elsewhere", () => {
  it.each(["state: { location: ./var/wave/ }", '"\\x73tate": { location: "${PLACE:-var/wave}" }'])(
    "is found by those that write it and by those that only read it: %s",
    async (said) => {
      const wave = project({ "wave.yaml": `${said}\n${works}` });
      expect(await run(wave, "run")).toMatchObject({ code: 0 });
      expect(existsSync(state(wave))).toBe(false);
      const [id = ""] = readdirSync(path.join(wave.root, "var/wave/journals"));
      expect(await run(wave, "resume")).toEqual({ code: 0, stdout: "", stderr: `run ${id} has already passed: nothing to resume\n` });
      for (const words of [["status"], ["status", "latest"], ["trace"], ["artifacts"], ["state", "verify"]]) {
        expect({ words, ...(await run(wave, ...words)) }).toMatchObject({ words, code: 0, stderr: "" });
      }
      expect((await run(wave, "status")).stdout).toContain(id);
    },
  );
});

describe("wave state", () => {
  it("names a damaged journal and blob by file and line, and rebuilds the database", async () => {
    const wave = project({ "wave.yaml": works });
    await run(wave, "run");
    const id = wave.events()[0]?.run ?? "";
    const whole = (await run(wave, "status", "--json")).stdout;
    expect(await run(wave, "state", "verify")).toMatchObject({ code: 0, stdout: expect.stringContaining("state is intact: 1 run") });
    const journal = journalOf(wave, id);
    const bytes = readFileSync(journal, "utf8");
    writeFileSync(journal, bytes.replace('"demo"', '"dema"'));
    const found = await run(wave, "state", "verify");
    expect(found).toMatchObject({ code: 4, stdout: expect.stringContaining(`${journal}:2: its hash does not match its bytes`) });
    expect(json((await run(wave, "state", "verify", "--json")).stdout)).toMatchObject({
      ok: false,
      findings: [{ file: journal, line: 2 }],
    });
    expect((await run(wave, "state", "rebuild")).code).toBe(4);
    writeFileSync(journal, bytes);
    const [blob = ""] = blobs(wave);
    rmSync(state(wave, "blobs/sha256", blob));
    expect(await run(wave, "state", "verify")).toMatchObject({ code: 4, stdout: expect.stringContaining("the blob is missing") });
    writeFileSync(state(wave, "wave.db"), "gone");
    expect(await run(wave, "state", "rebuild")).toMatchObject({ code: 0, stdout: "the database was rebuilt: 1 run from journals\n" });
    expect((await run(wave, "status", "--json")).stdout).toBe(whole);
  });
});

describe("wave plan", () => {
  it("says which steps are blocked by an open circuit, and what waits for them, until the circuit is reset", async () => {
    const manifest = (answer: string) => `
personas: { worker: { command: '${answer} > "$WAVE_OUTPUT_DIR/out.json"' }, other: { command: 'true' } }
defaults: { workspace: shared }
pipeline:
  name: demo
  steps:
    - id: made
      persona: worker
      artifacts: [out]
      handover: { contract: { name: shape, type: json_schema, schema: s.json, circuit_breaker: { minimum_attempts: 2, failure_threshold: 0.5 } } }
    - { id: after, persona: other, dependencies: [made] }
    - { id: apart, persona: other }
`;
    const wave = project({ "wave.yaml": manifest("echo 1"), "s.json": '{ "type": "object" }' });
    const actions = async () => {
      const { steps, summary } = json((await run(wave, "plan", "--json")).stdout) as {
        steps: readonly { id: string; blocked?: unknown; actions: { run: string } }[];
        summary: { run: unknown };
      };
      return {
        summary: summary.run,
        steps: steps.map(({ id, blocked, actions: does }) => [id, does.run, blocked]),
      };
    };
    for (let round = 0; round < 2; round++) expect((await run(wave, "run")).code).toBe(1);
    const circuit = { kind: "circuit", contract: "shape", failed: 2, window: 2, retryAt: expect.stringMatching(/Z$/) };
    expect(await actions()).toEqual({
      summary: { run: 1, reuse: 0, recheck: 0, later: 0, blocked: 2 },
      steps: [
        ["made", "blocked", circuit],
        ["after", "blocked", { kind: "upstream", steps: ["made"] }],
        ["apart", "run", undefined],
      ],
    });
    const tree = (await run(wave, "plan")).stdout;
    expect(tree).toContain("1 run, 2 blocked");
    expect(tree).toMatch(
      /blocked +its circuit is open until \S+: 2 of the last 2 attempts failed contract shape; --reset-circuit closes it/,
    );
    expect(tree).toMatch(/blocked +waits for made, which cannot start/);
    expect((await run(wave, "run")).stderr).toContain("circuit");
    expect((await run(wave, "run", "--reset-circuit")).code).toBe(1);
    expect((await actions()).summary).toEqual({ run: 3, reuse: 0, recheck: 0, later: 0, blocked: 0 });
  });
});
