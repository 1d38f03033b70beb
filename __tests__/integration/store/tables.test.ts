import { chmodSync, cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { processIdentity } from "../../../src/platform/process-identity.ts";
import { migrations, runTables } from "../../../src/store/schema.ts";
import { loadSql, rowsOf } from "../../../src/store/sql-engine.ts";
import { digest } from "../../rig/plan-fixtures.ts";
import { attemptPassed, attemptStarted, started } from "../../rig/run-events.ts";
import { append, hasDatabase, must, passingRun, stateDirectory, storeIn } from "../../rig/state-rig.ts";

const databaseOf = (stateDir: string) => path.join(stateDir, "wave.db");
const ids = (runs: readonly { id: string }[]) => runs.map((run) => run.id);

/** All rows of the saved tables. */
async function savedTables(stateDir: string) {
  const sql = await loadSql();
  const db = new sql.Database(readFileSync(databaseOf(stateDir)));
  const tables = Object.fromEntries(runTables.map((table) => [table, rowsOf(db, `SELECT * FROM ${table}`)]));
  db.close();
  return tables;
}

/** Writes a database that is not wave's own. */
async function writeDatabase(stateDir: string, sqlText: string): Promise<Buffer> {
  const sql = await loadSql();
  const db = new sql.Database();
  db.exec(sqlText);
  writeFileSync(databaseOf(stateDir), db.export());
  db.close();
  return readFileSync(databaseOf(stateDir));
}

describe("the database", () => {
  test("is saved by the first question after a run ended, and not by the next", async () => {
    const stateDir = stateDirectory();
    const store = storeIn(stateDir);
    await passingRun(store, "aa11");
    expect(hasDatabase(stateDir)).toBe(false);
    expect(ids(must(await store.listRuns()))).toEqual(["aa11"]);
    const before = statSync(databaseOf(stateDir), { bigint: true });
    for (const reader of [store, storeIn(stateDir)]) expect(ids(must(await reader.listRuns()))).toEqual(["aa11"]);
    const after = statSync(databaseOf(stateDir), { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  });

  test("holds the same rows, whether runs were folded one by one or all at once", async () => {
    const [stepwise, atOnce] = [stateDirectory(), stateDirectory()];
    for (const run of ["aa11", "bb22", "cc33"]) {
      await passingRun(storeIn(stepwise), run);
      must(await storeIn(stepwise).listRuns());
    }
    cpSync(path.join(stepwise, "journals"), path.join(atOnce, "journals"), { recursive: true });
    must(await storeIn(atOnce).listRuns());
    expect(await savedTables(atOnce)).toEqual(await savedTables(stepwise));
  });

  test("tells of a run that is being written, and is saved only when it ended", async () => {
    const stateDir = stateDirectory();
    const store = storeIn(stateDir);
    const journal = must(await store.openJournal("aa11"));
    await append(journal, started({ a: [], b: ["a"] }), attemptStarted("a"));
    const reader = storeIn(stateDir);
    expect(must(await reader.listRuns())).toMatchObject([{ id: "aa11", status: "running", steps: { running: 1, pending: 1 } }]);
    await append(journal, attemptPassed("a"));
    expect(must(await reader.listRuns())).toMatchObject([{ id: "aa11", status: "running", steps: { passed: 1, pending: 1 } }]);
    expect(must(await reader.passedWork("demo"))).toMatchObject([{ step: "a", run: "aa11" }]);
    expect(hasDatabase(stateDir)).toBe(false);
    await append(journal, { type: "run-finished", status: "passed", durationMs: 7 });
    must(await journal.close());
    expect(must(await reader.listRuns())).toMatchObject([{ id: "aa11", status: "passed", durationMs: 7 }]);
    expect(hasDatabase(stateDir)).toBe(true);
  });

  test("keeps the rows of runs whose journals are gone, and says so", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    await passingRun(storeIn(stateDir), "bb22");
    const whole = must(await storeIn(stateDir).findRun("aa11"));
    must(await storeIn(stateDir).listRuns());
    rmSync(path.join(stateDir, "journals", "aa11"), { recursive: true });
    expect(must(await storeIn(stateDir).listRuns())).toMatchObject([
      { id: "bb22", archived: false },
      { id: "aa11", archived: true },
    ]);
    expect(must(await storeIn(stateDir).findRun("aa11"))).toEqual({ ...whole, archived: true });
    expect(must(await storeIn(stateDir).findRun("aa"))).toEqual({ ...whole, archived: true });
    expect((await savedTables(stateDir))["runs"]).toMatchObject([
      { run: "aa11", archived: 1 },
      { run: "bb22", archived: 0 },
    ]);
  });

  test.each<[string, (bytes: Buffer) => Uint8Array]>([
    ["cut in half", (bytes) => bytes.subarray(0, bytes.length / 2)],
    ["not a database", () => Buffer.from("not a database, whatever its name says".repeat(300))],
    ["overwritten in the middle", (bytes) => bytes.fill(0x5a, 4096, 12_288)],
    ["empty", () => new Uint8Array()],
  ])("that is %s is built again from the journals", async (_, change) => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    const before = must(await storeIn(stateDir).listRuns());
    const tables = await savedTables(stateDir);
    writeFileSync(databaseOf(stateDir), change(readFileSync(databaseOf(stateDir))));
    expect(must(await storeIn(stateDir).listRuns())).toEqual(before);
    expect(await savedTables(stateDir)).toEqual(tables);
  });

  test.each([
    ["somebody else's", "CREATE TABLE songs (title TEXT)", "not a database of wave"],
    ["a newer wave's", `PRAGMA application_id = ${0x57415645}; PRAGMA user_version = ${migrations.length + 1}`, "newer wave"],
  ])("of %s is left alone", async (_, content, detail) => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    const bytes = await writeDatabase(stateDir, content);
    expect(await storeIn(stateDir).listRuns()).toMatchObject({
      ok: false,
      error: { reason: "state-unreadable", path: databaseOf(stateDir), detail: expect.stringContaining(detail) },
    });
    expect(readFileSync(databaseOf(stateDir)).equals(bytes)).toBe(true);
    expect(must(await storeIn(stateDir).findRun("aa11")).status).toBe("passed");
  });

  test("that cannot be locked because another process saves is named with its holder", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    const lock = path.join(stateDir, "locks", "database");
    writeFileSync(lock, JSON.stringify(processIdentity()));
    let time = 0;
    const hurried = {
      now: Date.now,
      monotonic: () => time,
      sleep: async (ms: number) => {
        time += ms;
      },
    };
    expect(await storeIn(stateDir, { clock: hurried }).listRuns()).toEqual({
      ok: false,
      error: { reason: "state-locked", path: databaseOf(stateDir), holder: `process ${process.pid} on ${processIdentity().host}` },
    });
    rmSync(lock);
    expect(ids(must(await storeIn(stateDir).listRuns()))).toEqual(["aa11"]);
  });

  test("may be asked by many at once", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    await passingRun(storeIn(stateDir), "bb22");
    const asked = await Promise.all(Array.from({ length: 8 }, () => storeIn(stateDir).listRuns()));
    for (const runs of asked) expect(ids(must(runs))).toEqual(["bb22", "aa11"]);
    expect((await savedTables(stateDir))["runs"]).toHaveLength(2);
  });
});

describe("a state directory that takes no files", () => {
  test("still answers", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    // A file where the locks would lie refuses them to root too, whom permissions do not bind.
    rmSync(path.join(stateDir, "locks"), { recursive: true });
    writeFileSync(path.join(stateDir, "locks"), "");
    chmodSync(stateDir, 0o555);
    expect(ids(must(await storeIn(stateDir).listRuns()))).toEqual(["aa11"]);
    expect(must(await storeIn(stateDir).runsEndingAt("demo", digest("tree")))).toHaveLength(1);
    expect(existsSync(databaseOf(stateDir))).toBe(false);
    expect(await storeIn(stateDir).openJournal("bb22")).toMatchObject({ ok: false, error: { reason: "state-unwritable" } });
    chmodSync(stateDir, 0o755);
  });

  test("that does not exist has no runs", async () => {
    const stateDir = stateDirectory();
    expect(must(await storeIn(stateDir).listRuns())).toEqual([]);
    expect(must(await storeIn(stateDir).passedWork("demo"))).toEqual([]);
    expect(await storeIn(stateDir).findRun("latest")).toMatchObject({ ok: false, error: { reason: "run-not-found", candidates: [] } });
    expect(existsSync(stateDir)).toBe(false);
  });
});

/** The tables of a version before, with the rows of today's as far as that version had columns for them. */
async function earlierDatabase(stateDir: string, version: number): Promise<Buffer> {
  const sql = await loadSql();
  const now = new sql.Database(readFileSync(databaseOf(stateDir)));
  const then = new sql.Database();
  for (const migration of migrations.slice(0, version)) then.exec(migration);
  for (const table of runTables) {
    const columns = rowsOf(then, `PRAGMA table_info(${table})`).map(({ name }) => `"${name}"`);
    if (columns.length === 0) continue;
    for (const row of rowsOf(now, `SELECT ${columns.join()} FROM ${table}`))
      then.run(`INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map(() => "?").join()})`, Object.values(row));
  }
  then.exec(`PRAGMA application_id = ${0x57415645}; PRAGMA user_version = ${version}`);
  const bytes = Buffer.from(then.export());
  for (const db of [now, then]) db.close();
  return bytes;
}

describe.each(migrations.slice(1).map((_, index) => index + 1))("a database of version %d", (version) => {
  test("becomes the one that a new fold gives, while the journals are there", async () => {
    const stateDir = stateDirectory();
    for (const run of ["aa11", "bb22"]) await passingRun(storeIn(stateDir), run);
    const runs = must(await storeIn(stateDir).listRuns());
    const tables = await savedTables(stateDir);
    writeFileSync(databaseOf(stateDir), await earlierDatabase(stateDir, version));
    expect(must(await storeIn(stateDir).listRuns())).toEqual(runs);
    expect(await savedTables(stateDir)).toEqual(tables);
    expect(must(await storeIn(stateDir).findRun("aa11")).steps).toHaveLength(2);
  });

  test("keeps its rows where the journals are gone", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    const whole = must(await storeIn(stateDir).findRun("aa11"));
    must(await storeIn(stateDir).listRuns());
    writeFileSync(databaseOf(stateDir), await earlierDatabase(stateDir, version));
    rmSync(path.join(stateDir, "journals", "aa11"), { recursive: true });
    const kept = must(await storeIn(stateDir).findRun("aa11"));
    const timeless = (steps: typeof whole.steps) =>
      steps.map(({ attempts, ...step }) => ({ ...step, attempts: attempts.map(({ waitMs: _, ...one }) => one) }));
    expect(kept).toMatchObject({
      id: "aa11",
      pipeline: whole.pipeline,
      status: whole.status,
      durationMs: whole.durationMs,
      archived: true,
    });
    expect(timeless(kept.steps)).toEqual(timeless(whole.steps));
  });
});
