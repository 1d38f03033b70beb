/** State as files: who can read them, and what commands do when parts of them are moved or removed. */
import { chmodSync, closeSync, lstatSync, openSync, readdirSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { pause, pauseReached } from "../../rig/paused-step.ts";
import { type Project, project } from "../../rig/project.ts";

const manifest = (keys: string, code: number) => `
personas: { s: { adapter: command, command: "cat .env > copied.txt; echo more >> .env; echo done > $WAVE_OUTPUT_DIR/out.txt; exit ${code}" } }
pipeline: { name: p, steps: [{ id: a, persona: s, task: x, artifacts: [out]${keys} }] }
`;

/** Files of state that another user can read, by the modes of the file and of the directories on the way. */
function readableByOthers(directory: string, below = ""): readonly string[] {
  return readdirSync(path.join(directory, below)).flatMap((name) => {
    const file = path.join(below, name);
    const found = lstatSync(path.join(directory, file));
    if (found.isDirectory()) return (found.mode & 0o011) === 0 ? [] : readableByOthers(directory, file);
    return (found.mode & 0o044) === 0 ? [] : [file];
  });
}

/** Without contents of steps: what keeps git away, and which process holds a lock. */
const harmless = (file: string) => file === ".gitignore" || file.startsWith("locks/");

function stateOf(wave: Project): string {
  return path.join(wave.root, ".wave/state");
}

function openFiles(wave: Project): readonly string[] {
  return readableByOthers(stateOf(wave)).filter((file) => !harmless(file));
}

function withPrivateFile(keys = "", code = 0): Project {
  const wave = project({ "wave.yaml": manifest(keys, code), ".env": "TOKEN=x\n" });
  chmodSync(path.join(wave.root, ".env"), 0o600);
  return wave;
}

const places = [
  ["in a workspace of its own", ""],
  ["in the project, without a sandbox", ", workspace: shared, sandbox: off"],
] as const;

describe.skipIf(process.platform === "win32")("the files of state", () => {
  test.each(places)("cannot be read by other users after a step that ran %s", async (_name, keys) => {
    const wave = withPrivateFile(keys);
    const ran = await wave.wave("run");
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect((await wave.wave("run", "--reuse")).code).toBe(0);
    expect((await wave.wave("status")).code).toBe(0);
    expect((await wave.wave("rollback", "latest", "--dry-run")).code).toBeLessThan(3);
    expect(readdirSync(stateOf(wave))).toContain("wave.db");
    expect(openFiles(wave)).toEqual([]);
  });

  test.each(places)("cannot be read by other users after a step that failed %s", async (_name, keys) => {
    const wave = withPrivateFile(keys, 3);
    const failed = await wave.wave("run");
    expect(failed, failed.stderr).toMatchObject({ code: 1 });
    expect(openFiles(wave)).toEqual([]);
  });

  test("are closed by the next command if an older version left them open", async () => {
    const wave = withPrivateFile();
    expect((await wave.wave("run")).code).toBe(0);
    expect((await wave.wave("run", "--reuse")).code).toBe(0);
    expect((await wave.wave("status")).code).toBe(0);
    for (const name of readdirSync(stateOf(wave)))
      chmodSync(path.join(stateOf(wave), name), lstatSync(path.join(stateOf(wave), name)).isDirectory() ? 0o755 : 0o644);
    expect(openFiles(wave).length).toBeGreaterThan(3);
    expect((await wave.wave("status")).code).toBe(0);
    expect(openFiles(wave)).toEqual([]);
  });

  test("that do not belong to Wave keep their modes, however they are named", async () => {
    const wave = withPrivateFile();
    expect((await wave.wave("run")).code).toBe(0);
    const other = path.join(stateOf(wave), "notes.txt");
    writeFileSync(other, "mine\n");
    chmodSync(other, 0o644);
    expect((await wave.wave("status")).code).toBe(0);
    expect(openFiles(wave)).toEqual(["notes.txt"]);
  });
});

describe.skipIf(process.platform === "win32")("while a step runs", () => {
  const paused = `
personas: { s: { adapter: command, command: '${pause()}; mkdir -p made; echo done > made/out.txt' } }
pipeline: { name: p, steps: [{ id: a, persona: s, task: x }] }
`;

  test.each([
    ["its project is renamed", (root: string) => renameSync(root, `${root}-moved`)],
    ["state is removed", (root: string) => rmSync(path.join(root, ".wave"), { recursive: true })],
  ])("%s, and the run fails with the reason instead of a bug", async (_name, work) => {
    const wave = project({ "wave.yaml": paused });
    const run = wave.start(["run"]);
    // Both ends, so that opening waits for nothing.
    const fifo = openSync(await pauseReached(wave.root, run), "r+");
    work(wave.root);
    writeSync(fifo, "\n");
    closeSync(fifo);
    const ended = await run.finished;
    rmSync(`${wave.root}-moved`, { recursive: true, force: true });
    const output = ended.stdout + ended.stderr;
    expect(output).toMatch(/was moved or removed while/);
    expect(output).not.toMatch(/bug in wave|no run matches/);
    expect([1, 4]).toContain(ended.code);
  });
});

test("a run whose journals were moved away before there was a database is reported by verify, and stays in the list as archived", async () => {
  const wave = withPrivateFile();
  for (const _ of [1, 2, 3]) expect((await wave.wave("run")).code).toBe(0);
  const listed = JSON.parse((await wave.wave("status", "--json")).stdout).runs as readonly { id: string }[];
  expect(readdirSync(stateOf(wave))).not.toContain("wave.db");
  const moved = listed[1]?.id ?? "";
  renameSync(path.join(stateOf(wave), "journals", moved), path.join(wave.root, "elsewhere"));
  expect(await wave.wave("state", "verify")).toMatchObject({ code: 4, stdout: expect.stringContaining(moved) });
  for (const _ of ["first", "again"]) {
    const { runs } = JSON.parse((await wave.wave("status", "--json")).stdout);
    expect(runs).toMatchObject(listed.map(({ id }) => ({ id, archived: id === moved })));
  }
  expect((await wave.wave("run", "--reuse")).code).toBe(0);
  expect((await wave.wave("status")).stdout).toMatch(new RegExp(`${moved} .*\\(archived\\)`));
  renameSync(path.join(wave.root, "elsewhere"), path.join(stateOf(wave), "journals", moved));
  expect((await wave.wave("status")).stdout).not.toContain("(archived)");
});
