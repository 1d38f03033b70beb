/** Parts of one run, executed by several processes, one after the other and on several machines, through the built binary. */
import { cpSync, existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import type { RunRecord } from "../../src/core/state.ts";
import { leafTree } from "../rig/leaf-tree.ts";
import { type Project, project } from "../rig/project.ts";

const manifest = `
personas:
  plan: { command: 'echo planned > plan.txt; seq 9 > shared.txt; echo {} > $WAVE_OUTPUT_DIR/notes.json' }
  left: { command: 'echo left > left.txt; sed -i 1s/1/left/ shared.txt' }
  right: { command: 'echo right > right.txt; sed -i 9s/9/right/ shared.txt' }
  join: { command: 'cat left.txt right.txt > joined.txt; test -f $WAVE_INPUTS_DIR/notes' }
pipeline:
  name: demo
  steps:
    - { id: plan, persona: plan, artifacts: [notes] }
    - { id: left, persona: left, dependencies: [plan] }
    - { id: right, persona: right, dependencies: [plan] }
    - { id: join, persona: join, dependencies: [left, right], inputs: [{ artifact: notes, from: plan, as: notes }] }
`;

const fresh = () => project({ "wave.yaml": manifest, "old.txt": "old\n" });
const isState = (file: string) => file === ".wave" || file.startsWith(".wave/") || file === "wave.yaml";
const tree = (wave: Project) => leafTree(wave.root, isState);
const statuses = ({ status, steps }: RunRecord) => ({ status, ...Object.fromEntries(steps.map((step) => [step.id, step.status])) });

async function good(wave: Project, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await wave.wave(...words);
  expect({ code, words, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, words, stderr: "" });
  return stdout;
}

async function record(wave: Project): Promise<RunRecord> {
  return (JSON.parse(await good(wave, "status", "latest", "--json")) as { run: RunRecord }).run;
}

/** What an undisturbed run makes of the project. */
async function wholly(): Promise<unknown> {
  const wave = fresh();
  await good(wave, "run");
  return tree(wave);
}

it("executes a run in parts, applies nothing before the last, and then what a whole run would have", async () => {
  const wave = fresh();
  const before = tree(wave);
  await good(wave, "run", "--steps", "plan,left");
  expect(statuses(await record(wave))).toEqual({ status: "pending", plan: "passed", left: "passed", right: "pending", join: "pending" });
  expect(tree(wave)).toEqual(before);

  const early = await wave.wave("resume", "--steps", "join");
  expect(early).toMatchObject({ code: 1, stdout: "" });
  expect(early.stderr).toContain("step `join` depends on `right`, which has not passed in run");

  await good(wave, "resume", "--steps", "right");
  expect(tree(wave)).toEqual(before);
  await good(wave, "resume", "--steps", "join");
  expect(statuses(await record(wave))).toEqual({ status: "passed", plan: "passed", left: "passed", right: "passed", join: "passed" });
  expect(tree(wave)).toEqual(await wholly());
  const started = wave.events().flatMap((event) => (event.type === "attempt-started" ? [event.step] : []));
  expect(started.sort()).toEqual(["join", "left", "plan", "right"]);
});

it("executes parts side by side on machines that know nothing of each other, and joins them by their journals and blobs", async () => {
  const first = fresh();
  await good(first, "run", "--steps", "plan");
  const left = fresh();
  const right = fresh();
  for (const machine of [left, right]) carry(first, machine);
  await Promise.all([good(left, "resume", "--steps", "left"), good(right, "resume", "--steps", "right")]);

  const last = fresh();
  for (const machine of [right, left]) carry(machine, last);
  expect(statuses(await record(last))).toEqual({ status: "pending", plan: "passed", left: "passed", right: "passed", join: "pending" });
  await good(last, "resume", "--steps", "join");
  expect(statuses(await record(last))).toMatchObject({ status: "passed" });
  expect(tree(last)).toEqual(await wholly());
});

it("says that a part failed, whatever the others do, and takes it up again", async () => {
  const wave = project({
    "wave.yaml": manifest.replace("echo left > left.txt", "test $WAVE_ATTEMPT -gt 1 || exit 1; echo left > left.txt"),
    "old.txt": "old\n",
  });
  await good(wave, "run", "--steps", "plan");
  expect(await wave.wave("resume", "--steps", "left")).toMatchObject({ code: 1 });
  await good(wave, "resume", "--steps", "right");
  expect(statuses(await record(wave))).toEqual({ status: "failed", plan: "passed", left: "failed", right: "passed", join: "pending" });
  await good(wave, "resume", "--steps", "left");
  expect(statuses(await record(wave))).toEqual({ status: "pending", plan: "passed", left: "passed", right: "passed", join: "pending" });
});

it("refuses a step that the pipeline does not have", async () => {
  const refused = await fresh().wave("run", "--steps", "plan,lefd");
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain("pipeline `demo` has no step `lefd`");
  expect(refused.stderr).toContain("did you mean `left`?");
});

/** What travels between machines: journals and blobs, not the database, not locks. */
function carry(from: Project, to: Project): void {
  for (const name of ["journals", "blobs"]) {
    const source = path.join(from.root, ".wave/state", name);
    if (existsSync(source) && readdirSync(source).length > 0)
      cpSync(source, path.join(to.root, ".wave/state", name), { recursive: true, force: false });
  }
}
