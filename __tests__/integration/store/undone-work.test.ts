/** Undone work in the tables: nobody is offered it, and databases of older versions keep what they know. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { EventPayload } from "../../../src/core/event.ts";
import { applicationId, migrations } from "../../../src/store/schema.ts";
import { loadSql } from "../../../src/store/sql-engine.ts";
import { attemptPassed, attemptStarted, fingerprint, started } from "../../rig/run-events.ts";
import { changesRef, resumed, rolledBack } from "../../rig/run-histories.ts";
import { append, must, passingRun, stateDirectory, storeIn } from "../../rig/state-rig.ts";

async function offered(stateDir: string): Promise<string[]> {
  const work = must(await storeIn(stateDir).passedWork("demo"));
  return work.map(({ run, step, attempt }) => `${run} ${step}.${attempt}`).sort();
}

async function add(stateDir: string, run: string, ...payloads: readonly EventPayload[]): Promise<void> {
  const journal = must(await storeIn(stateDir).openJournal(run));
  await append(journal, ...payloads);
  must(await journal.close());
}

const applied: EventPayload = { type: "changes-applied", changes: changesRef("all") };
const undone: EventPayload = { type: "changes-undone", changes: changesRef("all") };

describe("undone work", () => {
  test("is offered to nobody; what is done afterwards is", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    expect(await offered(stateDir)).toEqual(["aa11 a.1", "aa11 b.1"]);
    await add(stateDir, "aa11", rolledBack("a", ["b"]));
    expect(await offered(stateDir)).toEqual(["aa11 a.1"]);
    await add(stateDir, "aa11", resumed, attemptStarted("b", 2), attemptPassed("b", 2));
    expect(await offered(stateDir)).toEqual(["aa11 a.1", "aa11 b.2"]);
    await add(stateDir, "aa11", { ...resumed, again: ["a", "b"] } as EventPayload);
    expect(await offered(stateDir)).toEqual([]);
  });

  test("is all that a run did once its changes were taken out of the project, and what it had reused", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    const reuse: EventPayload = { type: "step-reused", step: "b", from: { run: "aa11", attempt: 1 }, fingerprint, artifacts: [] };
    await add(stateDir, "bb22", started({ a: [], b: ["a"] }), reuse, attemptStarted("a"), attemptPassed("a"), applied);
    await add(stateDir, "bb22", undone);
    expect(await offered(stateDir)).toEqual(["aa11 a.1"]);
  });

  test("that was another run's is offered to nobody either, and its run stays as it is", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    const reuse: EventPayload = { type: "step-reused", step: "b", from: { run: "aa11", attempt: 1 }, fingerprint, artifacts: [] };
    await add(stateDir, "bb22", started({ a: [], b: ["a"] }), reuse);
    expect(await offered(stateDir)).toEqual(["aa11 a.1", "aa11 b.1"]);
    await add(stateDir, "bb22", rolledBack("a", ["b"]));
    expect(await offered(stateDir)).toEqual(["aa11 a.1"]);
    expect(must(await storeIn(stateDir).findRun("aa11")).steps.map(({ status }) => status)).toEqual(["passed", "passed"]);
  });
});

test("a database of the version before knows what the project has of a run", async () => {
  const stateDir = stateDirectory();
  await passingRun(storeIn(stateDir), "cc33");
  const { Database } = await loadSql();
  const db = new Database();
  for (const migration of migrations.slice(0, 2)) db.exec(migration);
  db.run(`PRAGMA application_id = ${applicationId}`);
  db.run("PRAGMA user_version = 2");
  const columns = "run, pipeline, started_at, manifest, options, base, tree_before, tree_after, changes, applied, archived";
  const values = `'demo', '2026', 'm', '{}', '{"tree":"t"}', 't', 'after', '${JSON.stringify(changesRef("all"))}'`;
  db.run(`INSERT INTO runs (${columns}) VALUES ('old1', ${values}, 1, 1), ('old2', ${values}, 0, 1)`);
  writeFileSync(path.join(stateDir, "wave.db"), db.export());
  const ending = must(await storeIn(stateDir).runsEndingAt("demo", "after" as never));
  expect(ending.map(({ id, inProject }) => [id, inProject])).toEqual([
    ["old2", undefined],
    ["old1", changesRef("all")],
  ]);
});

test("a database of the version before reads the journals of runs that were rolled back as a whole again", async () => {
  const stateDir = stateDirectory();
  await passingRun(storeIn(stateDir), "aa11");
  await add(stateDir, "aa11", applied, undone);
  expect(await offered(stateDir)).toEqual([]);
  const file = path.join(stateDir, "wave.db");
  const { Database } = await loadSql();
  const db = new Database(readFileSync(file));
  db.run("UPDATE steps SET status = 'passed', winner = 0");
  db.run("UPDATE attempts SET undone = 0");
  db.run("DELETE FROM revoked_work");
  db.run(`PRAGMA user_version = ${migrations.length - 1}`);
  writeFileSync(file, db.export());
  expect(await offered(stateDir)).toEqual([]);
});
