/** What state remembers, and what a run that was taken back does next. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type Project, project, repository } from "../../rig/project.ts";

function committed(command: string): Project {
  const manifest = `pipeline: { name: p, steps: [{ id: a, persona: s, task: x }] }\npersonas: { s: { adapter: command, command: ${JSON.stringify(command)} } }\n`;
  const wave = project({ "wave.yaml": manifest });
  const git = (...words: string[]) => execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...words], { cwd: wave.root });
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", "base");
  return wave;
}

describe("the state directory", () => {
  test("holds only what the page on state lists, and works without the indexes that are safe to delete", async () => {
    const wave = committed("echo n > n.txt");
    wave.write({ ".gitignore": ".wave/state/\nbuild/\n", "build/out": "x\n", ".wave/tests/none.yaml": "pipeline: p\nrecording: none\n" });
    const state = path.join(wave.root, ".wave/state");
    expect((await wave.wave("run", "--reuse")).code).toBe(0);
    expect((await wave.wave("run")).code).toBe(0);
    await wave.wave("test");
    await wave.wave("plan");
    await wave.wave("status");
    const page = readFileSync(path.join(repository, "docs/state.md"), "utf8");
    const table = page.slice(page.indexOf("| part"), page.indexOf("Any SQLite program"));
    const listed = [...table.matchAll(/^\| (`[^|]+)\|/gm)].flatMap(([, cell = ""]) => cell.match(/[\w.-]+/g) ?? []);
    const found = readdirSync(state).filter((name) => name !== ".gitignore");
    expect(found.filter((name) => !listed.includes(name))).toEqual([]);
    expect(found).toEqual(expect.arrayContaining(["journals", "blobs", "run-index.json"]));
    for (const name of ["base-index.json", "ignored-index.json", "run-index.json"]) rmSync(path.join(state, name), { force: true });
    const reused = await wave.wave("run", "--reuse");
    expect([reused.code, reused.stderr], reused.stderr).toEqual([0, expect.stringContaining("a reused from run")]);
  });
});

describe("a run that was rolled back as a whole", () => {
  test.each([[[]], [["--update"]]])("runs its steps again on `wave resume` with %j", async (options) => {
    const wave = committed("echo n > n.txt");
    expect((await wave.wave("run")).code).toBe(0);
    expect((await wave.wave("rollback", "latest", "--yes")).code).toBe(0);
    expect(existsSync(path.join(wave.root, "n.txt"))).toBe(false);
    expect((await wave.wave("status", "latest")).stdout).toContain("rolled back: 1 file (1 added) not in the project");
    const resumed = await wave.wave("resume", ...options);
    expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
    expect(existsSync(path.join(wave.root, "n.txt"))).toBe(true);
    expect(wave.events().filter(({ type }) => type === "attempt-started")).toHaveLength(2);
  });

  test("has nothing left to do after that", async () => {
    const wave = committed("echo n > n.txt");
    await wave.wave("run");
    await wave.wave("rollback", "latest", "--yes");
    await wave.wave("resume");
    expect((await wave.wave("resume")).stderr).toContain("nothing to resume");
    expect(wave.events().filter(({ type }) => type === "attempt-started")).toHaveLength(2);
  });
});

describe("`wave status` without a run", () => {
  test("lists runs without the database, and marks one that was rolled back", async () => {
    const wave = committed("echo n >> n.txt");
    await wave.wave("run");
    await wave.wave("run");
    await wave.wave("rollback", "latest", "--yes");
    const database = path.join(wave.root, ".wave/state/wave.db");
    rmSync(database, { force: true });
    const [first, again] = [await wave.wave("status"), await wave.wave("status")];
    expect(first.stdout).toBe(again.stdout);
    expect(first.stdout.match(/⊘ rolled back|✓ passed/g)).toEqual(["⊘ rolled back", "✓ passed"]);
    expect(existsSync(database)).toBe(false);
    const { runs } = JSON.parse((await wave.wave("status", "--json")).stdout);
    expect(runs).toMatchObject([{ status: "passed", rolledBack: true }, { status: "passed" }]);
  });
});
