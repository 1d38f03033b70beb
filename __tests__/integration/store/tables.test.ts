import { chmodSync, cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/platform/clock.ts";
import { processIdentity } from "../../../src/platform/process-identity.ts";
import { rebuildState } from "../../../src/store/rebuild-state.ts";
import { applicationId, runTables, tablesVersion } from "../../../src/store/schema.ts";
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

/** Writes a database that Wave did not create. */
async function writeDatabase(stateDir: string, sqlText: string): Promise<Buffer> {
  const sql = await loadSql();
  const db = new sql.Database();
  db.exec(sqlText);
  writeFileSync(databaseOf(stateDir), db.export());
  db.close();
  return readFileSync(databaseOf(stateDir));
}

describe("the database", () => {
  test("is saved by the first query after a run ended, and not by the next", async () => {
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

  test("has the same rows whether runs were folded one by one or all at once", async () => {
    const [stepwise, atOnce] = [stateDirectory(), stateDirectory()];
    for (const run of ["aa11", "bb22", "cc33"]) {
      await passingRun(storeIn(stepwise), run);
      must(await storeIn(stepwise).listRuns());
    }
    cpSync(path.join(stepwise, "journals"), path.join(atOnce, "journals"), { recursive: true });
    must(await storeIn(atOnce).listRuns());
    expect(await savedTables(atOnce)).toEqual(await savedTables(stepwise));
  });

  test("contains an active run in memory, and is saved only once the run has ended", async () => {
    const stateDir = stateDirectory();
    const store = storeIn(stateDir);
    const journal = must(await store.openJournal("aa11"));
    await append(journal, started({ a: [], b: ["a"] }), attemptStarted("a"));
    const reader = storeIn(stateDir);
    expect(must(await reader.listRuns())).toMatchObject([{ id: "aa11", status: "running", steps: { running: 1, pending: 1 } }]);
    await append(journal, attemptPassed("a"));
    expect(must(await reader.listRuns())).toMatchObject([{ id: "aa11", status: "running", steps: { passed: 1, pending: 1 } }]);
    expect(must(await reader.cachedResults("demo"))).toMatchObject([{ step: "a", run: "aa11" }]);
    expect(hasDatabase(stateDir)).toBe(false);
    await append(journal, { type: "run-finished", status: "passed", durationMs: 7 });
    must(await journal.close());
    expect(must(await reader.listRuns())).toMatchObject([{ id: "aa11", status: "passed", durationMs: 7 }]);
    expect(hasDatabase(stateDir)).toBe(true);
  });

  test("keeps the rows of runs whose journals are gone, and marks them as archived", async () => {
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
  ])("that is %s is rebuilt from the journals", async (_, change) => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    const before = must(await storeIn(stateDir).listRuns());
    const tables = await savedTables(stateDir);
    writeFileSync(databaseOf(stateDir), change(readFileSync(databaseOf(stateDir))));
    expect(must(await storeIn(stateDir).listRuns())).toEqual(before);
    expect(await savedTables(stateDir)).toEqual(tables);
  });

  test.each([
    ["another program's", "CREATE TABLE songs (title TEXT)", "not a Wave database"],
    ["a newer Wave's", `PRAGMA application_id = ${0x57415645}; PRAGMA user_version = ${tablesVersion + 1}`, "newer version of Wave"],
  ])("of %s is not changed", async (_, content, detail) => {
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

  test("that another process keeps locked is reported with its holder", async () => {
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

  test("can be queried in parallel", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    await passingRun(storeIn(stateDir), "bb22");
    const asked = await Promise.all(Array.from({ length: 8 }, () => storeIn(stateDir).listRuns()));
    for (const runs of asked) expect(ids(must(runs))).toEqual(["bb22", "aa11"]);
    expect((await savedTables(stateDir))["runs"]).toHaveLength(2);
  });
});

describe("a read-only state directory", () => {
  test("answers queries", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    // A file in place of the lock directory blocks root too, whom permissions do not restrict.
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
    expect(must(await storeIn(stateDir).cachedResults("demo"))).toEqual([]);
    expect(await storeIn(stateDir).findRun("latest")).toMatchObject({ ok: false, error: { reason: "run-not-found", candidates: [] } });
    expect(existsSync(stateDir)).toBe(false);
  });
});

describe("a database of an earlier version", () => {
  const earlier = `CREATE TABLE runs (run TEXT PRIMARY KEY, outcome TEXT); INSERT INTO runs VALUES ('aa11', 'failed'), ('old', 'passed');
    PRAGMA application_id = ${applicationId};`;

  test.each([1, 8])("(%d) is rebuilt from the journals, and kept beside the new one", async (version) => {
    const stateDir = stateDirectory();
    for (const run of ["aa11", "bb22"]) await passingRun(storeIn(stateDir), run);
    const runs = must(await storeIn(stateDir).listRuns());
    const tables = await savedTables(stateDir);
    const bytes = await writeDatabase(stateDir, `${earlier} PRAGMA user_version = ${version};`);
    expect(must(await storeIn(stateDir).listRuns())).toEqual(runs);
    expect(await savedTables(stateDir)).toEqual(tables);
    expect(readFileSync(`${databaseOf(stateDir)}.v${version}`).equals(bytes)).toBe(true);
    expect(must(await storeIn(stateDir).findRun("aa11")).steps).toHaveLength(2);
  });

  test("is also replaced by `wave state rebuild`", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    const bytes = await writeDatabase(stateDir, `${earlier} PRAGMA user_version = ${tablesVersion - 1};`);
    expect(must(await rebuildState(stateDir, systemClock))).toEqual({ runs: 1, archived: 0, disagreements: [] });
    expect(readFileSync(`${databaseOf(stateDir)}.v${tablesVersion - 1}`).equals(bytes)).toBe(true);
    expect(ids(must(await storeIn(stateDir).listRuns()))).toEqual(["aa11"]);
  });
});

test("runs the query in docs/state.md, which lists the steps of all runs", async () => {
  const stateDir = stateDirectory();
  await passingRun(storeIn(stateDir), "aa11");
  must(await storeIn(stateDir).listRuns());
  const query = /```sql\n(.*?)```/s.exec(readFileSync(path.resolve(import.meta.dirname, "../../../docs/state.md"), "utf8"))?.[1] ?? "";
  const { Database } = await loadSql();
  const db = new Database(readFileSync(databaseOf(stateDir)));
  expect(rowsOf(db, query)).toEqual([
    { run: "aa11", outcome: "passed", step: "a", attempts: 1, status: "passed" },
    { run: "aa11", outcome: "passed", step: "b", attempts: 1, status: "passed" },
  ]);
  db.close();
});
