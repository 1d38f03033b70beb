/** Going back in a run and on again, through the built binary: `rollback --to`, `resume --from`, `--skip`, `--update`. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { WaveEvent } from "../../src/core/event.ts";
import type { RunRecord } from "../../src/core/state.ts";
import { leafTree } from "../rig/leaf-tree.ts";
import { type Project, project } from "../rig/project.ts";
import { seeded } from "../rig/seeded.ts";

/** `left` and `right` change a file of their own and a shared one; `join` builds on both, `last` on it. */
const manifest = `
personas:
  plan: { command: 'echo planned > plan.txt; seq 9 > shared.txt; rm old.txt' }
  left: { command: 'echo left > left.txt; sed -i 1s/1/left/ shared.txt' }
  right: { command: 'mkdir -p deep/er; echo right > deep/er/right.txt; sed -i 9s/9/right/ shared.txt' }
  join: { command: 'cat left.txt deep/er/right.txt > joined.txt; rm left.txt; echo joined >> shared.txt; echo $NOTE > note.txt', env: { NOTE: "one" } }
  last: { command: 'wc -l < shared.txt > count.txt' }
pipeline:
  name: demo
  steps:
    - { id: plan, persona: plan }
    - { id: left, persona: left, dependencies: [plan] }
    - { id: right, persona: right, dependencies: [plan] }
    - { id: join, persona: join, dependencies: [left, right] }
    - { id: last, persona: last, dependencies: [join] }
`;

const isState = (file: string) => file === ".wave" || file.startsWith(".wave/") || file === "wave.yaml";
const tree = (wave: Project) => leafTree(wave.root, isState);
const fresh = (text = manifest) => project({ "wave.yaml": text, "old.txt": "old\n", "kept.txt": "kept\n" });
const read = (wave: Project, file: string) => readFileSync(path.join(wave.root, file), "utf8");
const write = (wave: Project, file: string, text: string) => writeFileSync(path.join(wave.root, file), text);

async function good(wave: Project, ...words: string[]): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await wave.wave(...words);
  expect({ code, words, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, words, stderr: "" });
  return { stdout, stderr };
}

async function ran(wave: Project): Promise<string> {
  await good(wave, "run");
  return wave.events()[0]?.run ?? "";
}

async function record(wave: Project, run: string): Promise<RunRecord> {
  return (JSON.parse((await good(wave, "status", run, "--json")).stdout) as { run: RunRecord }).run;
}

/** Step → status. */
const statuses = ({ steps }: RunRecord) => Object.fromEntries(steps.map(({ id, status }) => [id, status]));
const started = (events: readonly WaveEvent[]) => events.flatMap((event) => (event.type === "attempt-started" ? [event.step] : [])).sort();

/** The trees after so many steps, from pipelines that end there. */
async function treeOf(...steps: string[]): Promise<unknown> {
  const lines = manifest.split("\n").filter((line) => !line.includes("- { id:") || steps.some((id) => line.includes(`id: ${id},`)));
  const wave = fresh(lines.join("\n"));
  await ran(wave);
  return tree(wave);
}

describe("wave rollback --to", () => {
  it("leaves the changes of the steps that stay, and resume runs the others again on top", async () => {
    const wave = fresh();
    const run = await ran(wave);
    const whole = tree(wave);
    const dry = await good(wave, "rollback", run, "--to", "left", "--dry-run");
    expect(dry.stderr).toContain("join, last would be reverted");
    expect(tree(wave)).toEqual(whole);

    const back = await good(wave, "rollback", run, "--to", "left", "--json");
    expect(JSON.parse(back.stdout)).toMatchObject({ ok: true, rolledBack: true, to: "left", steps: ["join", "last"], changedSince: [] });
    expect(tree(wave)).toEqual(await treeOf("plan", "left", "right"));
    const rolled = await record(wave, run);
    expect(rolled).toMatchObject({ status: "failed", failure: { reason: "rolled-back", to: "left" }, applied: true });
    expect(statuses(rolled)).toEqual({ plan: "passed", left: "passed", right: "passed", join: "pending", last: "pending" });
    const planned = JSON.parse((await good(wave, "plan", "--json")).stdout) as { steps: { id: string; work: { kind: string } }[] };
    expect(planned.steps.map(({ id, work }) => [id, work.kind])).toEqual([
      ["plan", "equal"],
      ["left", "equal"],
      ["right", "equal"],
      ["join", "new"],
      ["last", "unknown"],
    ]);

    const before = wave.events().length;
    expect((await good(wave, "resume", run)).stderr).not.toContain("warning");
    expect(wave.events()).toHaveLength(before + 12);
    expect(tree(wave)).toEqual(whole);
    expect(await record(wave, run)).toMatchObject({ status: "passed", applied: true });
    await good(wave, "rollback", run, "--yes");
    expect(read(wave, "old.txt")).toBe("old\n");
    expect(tree(wave)).toEqual(tree(fresh()));
    await good(wave, "state", "verify");
  });

  it("goes back several times, and to the first step", async () => {
    const wave = fresh();
    const run = await ran(wave);
    await good(wave, "rollback", run, "--to", "join");
    expect(tree(wave)).toEqual(await treeOf("plan", "left", "right", "join"));
    await good(wave, "rollback", run, "--to", "plan");
    expect(tree(wave)).toEqual(await treeOf("plan"));
    const again = await wave.wave("rollback", run, "--to", "plan");
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("no step that descends from `plan` has passed") });
    expect(await wave.wave("rollback", run, "--to", "lefd")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("did you mean `left`"),
    });
  });

  it("may be followed by a rollback of the rest, and both by a resume", async () => {
    const wave = fresh();
    const run = await ran(wave);
    const whole = tree(wave);
    await good(wave, "rollback", run, "--to", "left");
    await good(wave, "rollback", run, "--yes");
    expect(tree(wave)).toEqual(tree(fresh()));
    await good(wave, "resume", run);
    expect(tree(wave)).toEqual(whole);
    await good(wave, "rollback", run, "--yes");
    // All steps were undone, so those before `join` run again too.
    expect((await good(wave, "resume", run, "--from", "join")).stderr).toContain("plan started");
    expect(tree(wave)).toEqual(whole);
  });

  it("leaves the project alone where the run was not applied, and names what was done in place", async () => {
    const wave = fresh(manifest.replace("{ id: last,", "{ id: last, workspace: shared,").replace("wc -l < shared.txt", "ls | wc -l"));
    expect(await wave.wave("run", "--no-apply")).toMatchObject({ code: 0 });
    const run = wave.events()[0]?.run ?? "";
    const there = tree(wave);
    expect(read(wave, "count.txt")).not.toBe("");
    const { stderr } = await good(wave, "rollback", run, "--to", "plan");
    expect(stderr).toContain("not reverted, because these steps changed the project itself: last");
    expect(stderr).toContain("left, right, join, last reverted (the project does not change)");
    expect(tree(wave)).toEqual(there);
    await good(wave, "resume", run);
    expect(await record(wave, run)).toMatchObject({ status: "passed", applied: false });
  });

  it("takes undone work for no other run", async () => {
    const wave = fresh();
    const run = await ran(wave);
    await good(wave, "run", "--reuse", "--json");
    const second = wave.events().find((event) => event.type === "step-reused")?.run ?? "";
    expect(second).not.toBe("");
    // The second run did nothing itself: going back in it must reach the work of the first.
    await good(wave, "rollback", second, "--to", "right");
    await good(wave, "run", "--reuse");
    const third = wave.events().filter(({ run: id }) => id !== run && id !== second);
    expect(started(third)).toEqual(["join", "last"]);
    // Without --to nothing is left to reuse, neither of the third run nor of those it took work from.
    await good(wave, "rollback", third[0]?.run ?? "", "--yes");
    await good(wave, "run", "--reuse");
    const known = new Set([run, second, third[0]?.run]);
    expect(started(wave.events().filter(({ run: id }) => !known.has(id)))).toEqual(["join", "last", "left", "plan", "right"]);
  });

  it("refuses where files changed since, names them, and overwrites exactly those with --force", async () => {
    const wave = fresh();
    const run = await ran(wave);
    write(wave, "joined.txt", "mine\n");
    write(wave, "kept.txt", "mine too\n");
    const mine = tree(wave);
    const refused = await wave.wave("rollback", run, "--to", "left", "--yes");
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("joined.txt") });
    expect(refused.stderr).not.toContain("kept.txt");
    expect(tree(wave)).toEqual(mine);
    expect((await good(wave, "rollback", run, "--to", "left", "--dry-run")).stderr).toContain("so `--force` is needed: joined.txt");
    expect(await record(wave, run)).toMatchObject({ status: "passed" });
    const forced = await good(wave, "rollback", run, "--to", "left", "--force");
    expect(forced.stderr).toContain("overwriting files that changed since the run: joined.txt\n");
    write(wave, "kept.txt", "kept\n");
    expect(tree(wave)).toEqual(await treeOf("plan", "left", "right"));
  });

  it("is done again after a crash between the files and the event", async () => {
    const wave = fresh();
    const run = await ran(wave);
    await good(wave, "rollback", run, "--to", "right");
    const after = tree(wave);
    const journals = path.join(wave.root, ".wave/state/journals", run);
    const last = wave.events().find((event) => event.type === "steps-rolled-back")?.writer ?? "";
    rmSync(path.join(journals, `${last}.jsonl`));
    rmSync(path.join(wave.root, ".wave/state/wave.db"), { force: true });
    expect(await record(wave, run)).toMatchObject({ status: "passed" });
    await good(wave, "rollback", run, "--to", "right");
    expect(tree(wave)).toEqual(after);
    expect(await record(wave, run)).toMatchObject({ status: "failed", steps: [{}, {}, {}, { status: "pending" }, { status: "pending" }] });
  });
});

describe("wave resume", () => {
  it("--from runs a step of a passed run and what descends from it again, and replaces what they changed", async () => {
    const wave = fresh();
    const run = await ran(wave);
    const whole = tree(wave);
    expect((await good(wave, "resume", run)).stderr).toContain("has already passed");
    const before = wave.events().length;
    const { stdout } = await good(wave, "resume", run, "--from", "join", "--json");
    const events = stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as WaveEvent);
    expect(events[0]).toMatchObject({ type: "run-resumed", again: ["join", "last"] });
    expect(started(events)).toEqual(["join", "last"]);
    expect(wave.events().length).toBeGreaterThan(before);
    expect(tree(wave)).toEqual(whole);
    expect(await record(wave, run)).toMatchObject({
      status: "passed",
      steps: [{}, {}, {}, { attempts: [{ rolledBack: true }, { attempt: 2 }] }, {}],
    });
  });

  it("--skip leaves a step out with what needs it, and the rest is applied", async () => {
    const wave = fresh();
    const run = await ran(wave);
    await good(wave, "rollback", run, "--to", "plan");
    const { stderr } = await good(wave, "resume", run, "--skip", "join");
    expect(stderr).toContain("skipped with --skip");
    expect(statuses(await record(wave, run))).toEqual({
      plan: "passed",
      left: "passed",
      right: "passed",
      join: "skipped",
      last: "skipped",
    });
    expect(tree(wave)).toEqual(await treeOf("plan", "left", "right"));
    expect(await wave.wave("resume", run, "--from", "join", "--skip", "left")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("step `left` cannot be skipped"),
    });
    await good(wave, "resume", run, "--from", "join");
    expect(statuses(await record(wave, run))).toMatchObject({ join: "passed", last: "passed" });
  });

  it("--update shows what differs, runs only what changed, and keeps the new definition", async () => {
    const wave = fresh();
    const run = await ran(wave);
    expect((await good(wave, "resume", run, "--update")).stderr).toContain("the manifest has not changed");
    wave.write({
      "wave.yaml": manifest
        .replace('NOTE: "one"', 'NOTE: "two"')
        .replace("    - { id: last", "    - { id: extra, persona: last, dependencies: [last] }\n    - { id: last"),
    });
    const { stderr } = await good(wave, "resume", run, "--update");
    expect(stderr).toContain("changes since the run started:\n  ~ join changed: environment values\n  + extra is new\n");
    expect(stderr).not.toContain("warning");
    expect(read(wave, "note.txt")).toBe("two\n");
    const updated = await record(wave, run);
    expect(updated).toMatchObject({ status: "passed", applied: true });
    expect(updated.steps.map(({ id, attempts }) => [id, attempts.map(({ attempt }) => attempt)])).toEqual([
      ["plan", [1]],
      ["left", [1]],
      ["right", [1]],
      ["join", [1, 2]],
      ["extra", [1]],
      ["last", [1, 2]],
    ]);
    expect((await good(wave, "resume", run, "--update")).stderr).toContain("the manifest has not changed");
    await good(wave, "state", "verify");
  });

  it("warns once if project files changed since the run started", async () => {
    const failing = manifest.replace("wc -l < shared.txt > count.txt", "test -e ready && wc -l < shared.txt > count.txt");
    const wave = fresh(failing);
    expect((await wave.wave("run")).code).toBe(1);
    const run = wave.events()[0]?.run ?? "";
    write(wave, "ready", "");
    const { stderr } = await good(wave, "resume", run);
    expect(stderr.match(/^warning: .*$/gm)).toEqual([
      `warning: project files changed since run ${run} started, and steps see the new ones; steps that may read them: plan, left, right, join, last`,
    ]);
  });
});

describe("at any instant", () => {
  it("a rollback that is killed is completed by another", { timeout: 120_000 }, async () => {
    const random = seeded(4711);
    const wanted = await treeOf("plan", "left", "right");
    const wave = fresh();
    const run = await ran(wave);
    for (let round = 0; round < 6; round++) {
      const going = wave.start(["rollback", run, "--to", "left"]);
      await new Promise((resolve) => setTimeout(resolve, 100 + random() * 400));
      going.child.kill("SIGKILL");
      await going.finished;
      const { code } = await wave.wave("rollback", run, "--to", "left");
      expect([0, 2]).toContain(code);
      expect(tree(wave)).toEqual(wanted);
      expect(await record(wave, run)).toMatchObject({ status: "failed", failure: { reason: "rolled-back" } });
      await good(wave, "resume", run);
      expect(await record(wave, run)).toMatchObject({ status: "passed" });
    }
    await good(wave, "state", "verify");
  });

  it("a run that replaces its own changes is completed by another resume", { timeout: 120_000 }, async () => {
    const random = seeded(815);
    const wave = fresh();
    const run = await ran(wave);
    const whole = tree(wave);
    for (let round = 0; round < 6; round++) {
      const going = wave.start(["resume", run, "--from", round % 2 === 0 ? "plan" : "join"]);
      await new Promise((resolve) => setTimeout(resolve, 150 + random() * 900));
      going.child.kill("SIGKILL");
      await going.finished;
      await good(wave, "resume", run);
      expect(tree(wave)).toEqual(whole);
      expect(await record(wave, run)).toMatchObject({ status: "passed", applied: true });
    }
    await good(wave, "state", "verify");
  });
});

describe("a run that began over the changes of another one", () => {
  it("is resumed over them, without a warning", async () => {
    const failing = manifest.replace("last: { command: '", 'last: { env: { FAIL: "${FAIL:-no}" }, command: \'test $FAIL = no || exit 1; ');
    const wave = fresh(failing);
    await ran(wave);
    const whole = tree(wave);
    const second = await wave.start(["run", "--reuse", "--json"], { FAIL: "yes" }).finished;
    expect([second.code, tree(wave)]).toEqual([1, whole]);
    const run = (JSON.parse(second.stdout.split("\n")[0] ?? "") as WaveEvent).run;
    expect((await good(wave, "resume", run)).stderr).not.toContain("warning");
    expect(tree(wave)).toEqual(whole);
    expect(await record(wave, run)).toMatchObject({ status: "passed", applied: true });
  });
});
