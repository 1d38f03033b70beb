/** What operators ask for after a run: logs of failures, logs since, artifacts as files, and whether they are whole. Through the built binary. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import type { RunRecord } from "../../src/core/state.ts";
import { type Project, project } from "../rig/project.ts";

const manifest = `
personas:
  good: { command: 'echo fine; echo made > $WAVE_OUTPUT_DIR/report.md' }
  moody: { command: 'echo "attempt $WAVE_ATTEMPT says no"; test "$WAVE_ATTEMPT" -gt 1' }
  bad: { command: 'echo broken; exit 7' }
pipeline:
  name: demo
  steps:
    - { id: good, persona: good, artifacts: [report] }
    - id: moody
      persona: moody
      handover: { contract: { name: there, type: test_suite, command: 'true', on_failure: retry, backoff_strategy: none } }
    - { id: bad, persona: bad, dependencies: [good, moody] }
`;

async function ran(): Promise<Project> {
  const wave = project({ "wave.yaml": manifest });
  expect((await wave.wave("run")).code).toBe(1);
  return wave;
}

const record = async (wave: Project) => (JSON.parse((await wave.wave("status", "latest", "--json")).stdout) as { run: RunRecord }).run;
const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it("prints the logs of failed attempts with their reasons, and those since a time", async () => {
  const wave = await ran();
  const errors = await wave.wave("logs", "--errors");
  expect(errors.code).toBe(0);
  expect(errors.stdout).toContain("==> moody (attempt 1) <==\nattempt 1 says no\n");
  expect(errors.stdout).toContain("==> bad (attempt 1) <==\nbroken\n");
  expect(errors.stdout).toContain("the command exited with 7");
  expect(errors.stdout).not.toContain("fine");
  const json = lines((await wave.wave("logs", "bad", "--errors", "--json")).stdout);
  expect(json).toEqual([
    { step: "bad", attempt: 1, text: "broken\n" },
    { step: "bad", attempt: 1, failure: expect.objectContaining({ reason: "adapter-exit", exitCode: 7 }) },
  ]);
  const recent = lines((await wave.wave("logs", "--since", "1h", "--json")).stdout);
  expect(recent.map(({ step, attempt }) => `${String(step)} ${String(attempt)}`).sort()).toEqual(["bad 1", "good 1", "moody 1", "moody 2"]);
  const future = await wave.wave("logs", "--since", "2126-01-01");
  expect({ code: future.code, stdout: future.stdout }).toEqual({ code: 0, stdout: "" });
  expect(future.stderr).toMatch(/has no attempt since 2126-01-01|has no attempt since 2125-12-31/);
  expect((await wave.wave("logs", "--since", "yesterday")).code).toBe(2);
});

it("exports artifacts as files, and says which are lost", async () => {
  const wave = await ran();
  const exported = await wave.wave("artifacts", "latest", "--export", "out", "--json");
  expect(exported.code).toBe(0);
  expect(readFileSync(path.join(wave.root, "out/good/report.md"), "utf8")).toBe("made\n");
  expect((await wave.wave("artifacts", "latest", "--export", "out")).code).toBe(0);
  writeFileSync(path.join(wave.root, "out/good/report.md"), "mine\n");
  const refused = await wave.wave("artifacts", "latest", "--export", "out");
  expect({ code: refused.code, kept: readFileSync(path.join(wave.root, "out/good/report.md"), "utf8") }).toEqual({
    code: 2,
    kept: "mine\n",
  });

  expect((await wave.wave("artifacts", "latest", "--verify")).code).toBe(0);
  const digest = (await record(wave)).steps.flatMap(({ artifacts }) => artifacts)[0]?.digest ?? "";
  const blob = path.join(wave.root, ".wave/state/blobs/sha256", digest.slice(7, 9), digest.slice(9));
  chmodSync(blob, 0o644);
  writeFileSync(blob, "forged\n");
  const lost = await wave.wave("artifacts", "latest", "--verify", "--json");
  expect({ code: lost.code, told: JSON.parse(lost.stdout) as unknown }).toEqual({
    code: 4,
    told: expect.objectContaining({ ok: false, verified: 0, lost: [expect.objectContaining({ step: "good", name: "report" })] }),
  });
});

it("calls a run archived whose journals are gone, and not damaged", async () => {
  const wave = await ran();
  const { id } = await record(wave);
  // A question that needs the tables brings them level with the journals.
  expect((await wave.wave("metrics")).code).toBe(0);
  rmSync(path.join(wave.root, ".wave/state/journals", id), { recursive: true });
  const status = await wave.wave("status", id);
  expect({ code: status.code, archived: /archived/.test(status.stdout) }).toEqual({ code: 0, archived: true });
  const resumed = await wave.wave("resume", id);
  expect({ code: resumed.code, said: resumed.stderr.includes(`run ${id} is archived: its journals are gone`) }).toEqual({
    code: 2,
    said: true,
  });
  const undone = await wave.wave("rollback", id);
  expect(undone.stderr).not.toContain("damaged");
  expect(existsSync(path.join(wave.root, ".wave/state/wave.db"))).toBe(true);
});
