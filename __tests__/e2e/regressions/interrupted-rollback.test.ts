/** A rollback that is killed while it writes: it is reported everywhere until the same command completes it. */
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bundledChild, type Fixture } from "../../rig/bundled-child.ts";
import type { Fault } from "../../rig/failing-files.ts";
import { type Finished, type Project, project } from "../../rig/project.ts";

const all = 155;
const manifest = `
personas: { s: { adapter: command, command: "for i in $(seq ${all}); do echo new > src/$i.txt; done" } }
pipeline: { name: p, steps: [{ id: first, persona: s, task: x }, { id: second, persona: s, task: y, dependencies: [first] }] }
`;

let preload: Fixture;
beforeAll(async () => {
  preload = await bundledChild(new URL("../../rig/failing-files.ts", import.meta.url));
});
afterAll(() => preload.close());

let wave: Project;
let run: string;
beforeEach(async () => {
  const old = Object.fromEntries(Array.from({ length: all }, (_, index) => [`src/${index + 1}.txt`, "old\n"]));
  wave = project({ "wave.yaml": manifest, ...old });
  expect((await wave.wave("run")).code).toBe(0);
  run = wave.events()[0]?.run ?? "";
});

/** Rolls back until the given write of the project fails. */
function interrupted(code: string, ...words: readonly string[]): Promise<Finished> {
  const fault: Fault = { at: 60, code, calls: "write", below: path.join(wave.root, "src") };
  const env = { NODE_OPTIONS: `--import ${pathToFileURL(preload.file)}`, WAVE_TEST_FAULT: JSON.stringify(fault) };
  return wave.start(["rollback", "latest", "--yes", ...words], env).finished;
}

async function expectReported(): Promise<void> {
  const list = await wave.wave("status");
  expect(list.stdout).toContain("✓ passed (rollback interrupted)");
  expect(JSON.parse((await wave.wave("status", "--json")).stdout).runs).toMatchObject([{ status: "passed", rollback: "interrupted" }]);
  const one = await wave.wave("status", "latest");
  expect(one.stdout).toContain("rollback interrupted: the project has part of 155 files");
  expect(one.stdout).toContain(`to complete the rollback: wave rollback ${run} --yes`);
}

describe("a rollback that is killed while it writes", () => {
  beforeEach(async () => {
    expect(await interrupted("SIGKILL")).toMatchObject({ signal: "SIGKILL" });
  });

  test("is reported by `wave status`, in the list and of the run, with and without the database", async () => {
    await expectReported();
    expect((await wave.wave("plan", "--json")).code).toBe(0);
    rmSync(path.join(wave.root, ".wave/state/run-index.json"), { force: true });
    await expectReported();
    expect((await wave.wave("state", "rebuild")).code).toBe(0);
    await expectReported();
    expect((await wave.wave("state", "verify")).code).toBe(0);
  });

  test.each(["resume", "resume --from second", "run"])("stops `wave %s`, which names the command that completes it", async (words) => {
    const refused = await wave.wave(...words.split(" "));
    expect(refused, refused.stdout).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain("rollback was interrupted");
    expect(refused.stderr).toContain(`wave rollback ${run} --yes`);
    expect(wave.events().filter(({ type }) => type === "attempt-started")).toHaveLength(2);
  });

  test("stops another rollback of the run, which would leave a mixture", async () => {
    const refused = await wave.wave("rollback", run, "--to", "first", "--yes");
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(`wave rollback ${run} --yes`) });
  });

  test("keeps the run from being cleaned up", async () => {
    expect((await wave.wave("cleanup", "--status", "passed")).code).toBe(0);
    expect(readdirSync(path.join(wave.root, ".wave/state/journals"))).toContain(run);
  });

  test("is completed by the same command, after which the run is rolled back and a new one starts", async () => {
    expect((await wave.wave("rollback", run, "--yes")).code).toBe(0);
    expect((await wave.wave("status")).stdout).toContain("⊘ rolled back");
    expect((await wave.wave("run")).code).toBe(0);
    expect((await wave.wave("status")).stdout).not.toContain("interrupted");
  });
});

test("a rollback to a step that is killed while it writes names the step in the command that completes it", async () => {
  wave.write({
    "wave.yaml": manifest
      .replace("dependencies: [first]", "dependencies: [first], persona: t")
      .replace("persona: s, task: y", "task: y")
      .replace("personas: {", `personas: { t: { adapter: command, command: "for i in $(seq ${all}); do echo newer > src/$i.txt; done" },`),
  });
  const second = await wave.wave("run");
  expect(second, second.stderr).toMatchObject({ code: 0 });
  expect(await interrupted("SIGKILL", "--to", "first")).toMatchObject({ signal: "SIGKILL" });
  const refused = await wave.wave("resume");
  const command = /`wave (rollback \S+ --to first --yes)`/.exec(refused.stderr)?.[1] ?? "none";
  expect((await wave.wave(...command.split(" "))).code).toBe(0);
  expect((await wave.wave("resume")).code).toBe(0);
});

test("a rollback that the disk stops is open, and one that is refused before it writes is not", async () => {
  wave.write({ "src/7.txt": "mine\n" });
  expect((await wave.wave("rollback", "latest", "--yes")).code).toBe(1);
  expect((await wave.wave("status")).stdout).not.toContain("rollback");
  wave.write({ "src/7.txt": "new\n" });
  expect((await interrupted("ENOSPC")).code).not.toBe(0);
  expect((await wave.wave("status")).stdout).toContain("(rollback interrupted)");
});
