import { describe, expect, test } from "vitest";
import { emptyDatabase } from "../../../src/store/database-file.ts";
import { foldRun } from "../../../src/store/fold-run.ts";
import { loadFold, replaceRun } from "../../../src/store/run-rows.ts";
import { applicationId, runTables } from "../../../src/store/schema.ts";
import { loadSql, rowsOf } from "../../../src/store/sql-engine.ts";
import fc from "../../rig/property.ts";
import { history } from "../../rig/run-histories.ts";

async function emptyTables() {
  return emptyDatabase(await loadSql());
}

const marks = (writers: readonly string[]) => writers.map((writer) => ({ writer, size: 10, bytes: 10, seq: 1, head: "", closed: false }));

describe("a fold in the tables", () => {
  test("is read back unchanged", async () => {
    const db = await emptyTables();
    fc.assert(
      fc.property(history, (events) => {
        const fold = foldRun(events);
        const watermarks = marks(["w1", "w2", "w3"]);
        replaceRun(db, "3f9a", fold, watermarks);
        expect(fold).toBeDefined();
        expect(loadFold(db, "3f9a")).toEqual(fold);
      }),
      { numRuns: 200 },
    );
  });

  test("has the same rows, whatever rows it replaces", async () => {
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

  test("has the same rows for any order, repetition and division of a run's events", async () => {
    const [fresh, used] = [await emptyTables(), await emptyTables()];
    const bytes = (db: typeof fresh) => JSON.stringify(runTables.map((table) => rowsOf(db, `SELECT * FROM ${table}`)));
    const parts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 });
    fc.assert(
      fc.property(history, parts, fc.infiniteStream(fc.nat()), (events, cuts, numbers) => {
        for (const table of runTables) for (const db of [fresh, used]) db.run(`DELETE FROM ${table}`);
        replaceRun(fresh, "3f9a", foldRun(events), marks(["w1", "w2", "w3"]));
        for (const cut of [...cuts.sort((a, b) => a - b), 1]) {
          const part = events.slice(0, Math.ceil(cut * events.length));
          const twice = [...part, ...part.filter((_, index) => index % 3 === 0)];
          const mixed = twice.map((event) => ({ event, at: numbers.next().value ?? 0 })).sort((a, b) => a.at - b.at);
          replaceRun(used, "3f9a", foldRun(mixed.map(({ event }) => event)), marks(["w1", "w2", "w3"]));
        }
        expect(bytes(used)).toBe(bytes(fresh));
      }),
      { numRuns: 150 },
    );
  });

  test("the application id fits the header's 32 bits", () => expect(applicationId).toBeLessThan(2 ** 31));
});
