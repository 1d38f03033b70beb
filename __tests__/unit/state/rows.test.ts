import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldRun } from "../../../src/state/fold-run.ts";
import { loadFold } from "../../../src/state/read-rows.ts";
import { applicationId, migrations, runTables } from "../../../src/state/schema.ts";
import { loadSql, rowsOf } from "../../../src/state/sql-engine.ts";
import { replaceRun } from "../../../src/state/write-rows.ts";
import { history } from "../../rig/run-histories.ts";

async function emptyTables() {
  const sql = await loadSql();
  const db = new sql.Database();
  for (const migration of migrations) db.exec(migration);
  return db;
}

const marks = (writers: readonly string[]) => writers.map((writer) => ({ writer, size: 10, bytes: 10, seq: 1, head: "", closed: false }));

describe("a fold in the tables", () => {
  test("comes back as it was laid in", async () => {
    const db = await emptyTables();
    fc.assert(
      fc.property(history, (events) => {
        const fold = foldRun(events);
        const watermarks = marks(["w1", "w2", "w3"]);
        replaceRun(db, "3f9a", fold, watermarks);
        const writers = fold?.writers.map((writer) => ({ ...writer, closed: false }));
        expect(loadFold(db, "3f9a")).toEqual({ ...fold, writers });
      }),
      { numRuns: 200 },
    );
  });

  test("is the same rows, whatever stood there before", async () => {
    const [fresh, used] = [await emptyTables(), await emptyTables()];
    const tables = (db: typeof fresh) => runTables.map((table) => rowsOf(db, `SELECT * FROM ${table}`));
    fc.assert(
      fc.property(history, (events) => {
        replaceRun(used, "3f9a", foldRun(events), marks(["w1", "w2", "w3"]));
        for (const table of runTables) fresh.run(`DELETE FROM ${table}`);
        replaceRun(fresh, "3f9a", foldRun(events), marks(["w1", "w2", "w3"]));
        expect(tables(used)).toEqual(tables(fresh));
      }),
      { numRuns: 100 },
    );
  });

  test("the application id fits the header's 32 bits", () => expect(applicationId).toBeLessThan(2 ** 31));
});
