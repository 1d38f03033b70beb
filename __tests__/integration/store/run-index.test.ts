/** The run index lists the same runs as the database, and is not used if it may be stale. */
import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { EventPayload } from "../../../src/core/event.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { rebuildState } from "../../../src/store/rebuild-state.ts";
import fc from "../../rig/property.ts";
import { attemptPassed, attemptStarted, started } from "../../rig/run-events.ts";
import { changesRef, finished, payload } from "../../rig/run-histories.ts";
import { append, hasDatabase, journalOf, must, passingRun, stateDirectory, storeIn } from "../../rig/state-rig.ts";

const indexOf = (stateDir: string) => path.join(stateDir, "run-index.json");
const recent = async (stateDir: string) => must(await storeIn(stateDir).recentRuns());
const listed = async (stateDir: string) => must(await storeIn(stateDir).listRuns());
const ids = (runs: readonly { readonly id: string }[]) => runs.map(({ id }) => id);

async function write(stateDir: string, run: string, events: readonly EventPayload[]): Promise<void> {
  const journal = must(await storeIn(stateDir).openJournal(run));
  await append(journal, ...events);
  must(await journal.close());
}

async function twoRuns(): Promise<string> {
  const stateDir = stateDirectory();
  for (const run of ["aa11", "bb22"]) await passingRun(storeIn(stateDir), run);
  return stateDir;
}

const written = payload.filter(({ type }) => type !== "writer-closed");
const part = fc.record({
  run: fc.constantFrom("aa11", "bb22", "cc33"),
  events: fc.array(written, { maxLength: 8 }),
  /** Whether the database is queried afterwards, which saves it. */
  asks: fc.boolean(),
});

describe("the run index", () => {
  test("lists the same runs as the database, in any order of use", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 6 }), async (parts) => {
        const stateDir = stateDirectory();
        const begun = new Set<string>();
        for (const { run, events, asks } of parts) {
          const start = begun.has(run) ? [] : [started({ a: [], b: ["a"] })];
          begun.add(run);
          await write(stateDir, run, [...start, ...events]);
          const copy = stateDirectory();
          cpSync(path.join(stateDir, "journals"), path.join(copy, "journals"), { recursive: true });
          const expected = await listed(copy);
          // Compared as JSON, since commands print it: the order of keys counts, too.
          for (let round = 0; round < 2; round++) expect(JSON.stringify(await recent(stateDir))).toBe(JSON.stringify(expected));
          if (asks) expect(await listed(stateDir)).toEqual(expected);
          for (const filter of [{ limit: 1 }, { pipeline: "demo", limit: 2 }, { pipeline: "none" }])
            expect(must(await storeIn(stateDir).recentRuns(filter))).toEqual(must(await storeIn(copy).listRuns(filter)));
        }
      }),
      { numRuns: 20 },
    );
  }, 120_000);

  test("creates no database, and is not rewritten while nothing changes", async () => {
    const stateDir = await twoRuns();
    expect(ids(await recent(stateDir))).toEqual(["bb22", "aa11"]);
    const before = statSync(indexOf(stateDir), { bigint: true });
    expect(ids(await recent(stateDir))).toEqual(["bb22", "aa11"]);
    const after = statSync(indexOf(stateDir), { bigint: true });
    expect([hasDatabase(stateDir), after.ino, after.mtimeNs]).toEqual([false, before.ino, before.mtimeNs]);
  });

  test("lists an active run, and is saved once the run has ended", async () => {
    const stateDir = stateDirectory();
    const journal = must(await storeIn(stateDir).openJournal("aa11"));
    await append(journal, started({ a: [], b: ["a"] }), attemptStarted("a"));
    expect(await recent(stateDir)).toMatchObject([{ status: "running", steps: { running: 1, pending: 1 } }]);
    await append(journal, attemptPassed("a"));
    expect(await recent(stateDir)).toMatchObject([{ status: "running", steps: { passed: 1, pending: 1 } }]);
    expect(existsSync(indexOf(stateDir))).toBe(false);
    must(await journal.close());
    expect(await recent(stateDir)).toMatchObject([{ status: "interrupted" }]);
    expect(existsSync(indexOf(stateDir))).toBe(true);
  });

  test("marks a run that was rolled back, as the database does", async () => {
    const stateDir = stateDirectory();
    const merged: EventPayload = { type: "changes-merged", changes: changesRef("merged"), apply: true };
    const applied: EventPayload = { type: "changes-applied", changes: changesRef("merged") };
    await write(stateDir, "aa11", [started({ a: [] }), merged, applied, finished("passed")]);
    expect((await recent(stateDir))[0]).not.toHaveProperty("rolledBack");
    await write(stateDir, "aa11", [{ type: "changes-undone", changes: changesRef("merged") }]);
    expect(await recent(stateDir)).toMatchObject([{ status: "passed", rolledBack: true }]);
    expect(await listed(stateDir)).toMatchObject([{ status: "passed", rolledBack: true }]);
  });

  test("keeps runs whose journals a cleanup removed", async () => {
    const stateDir = await twoRuns();
    await listed(stateDir);
    await recent(stateDir);
    rmSync(path.join(stateDir, "journals", "aa11"), { recursive: true });
    const expected = [
      { id: "bb22", archived: false },
      { id: "aa11", archived: true },
    ];
    for (let round = 0; round < 2; round++) expect(await recent(stateDir)).toMatchObject(expected);
  });
});

describe("an index that cannot be trusted", () => {
  const spoilt: readonly (readonly [name: string, spoil: (file: string) => void])[] = [
    ["is gone", (file) => rmSync(file)],
    ["is empty", (file) => truncateSync(file)],
    ["lost its end", (file) => truncateSync(file, statSync(file).size - 3)],
    ["was edited", (file) => writeFileSync(file, readFileSync(file, "utf8").replace('"demo"', '"fake"'))],
    ["has more behind its end", (file) => appendFileSync(file, "x")],
    ["is of another version", (file) => writeFileSync(file, readFileSync(file, "utf8").replace('{"v":2', '{"v":1'))],
  ];

  test.each(spoilt)("because it %s is replaced", async (_, spoil) => {
    const stateDir = await twoRuns();
    await listed(stateDir);
    const expected = await recent(stateDir);
    const whole = readFileSync(indexOf(stateDir), "utf8");
    spoil(indexOf(stateDir));
    expect(await recent(stateDir)).toEqual(expected);
    expect(readFileSync(indexOf(stateDir), "utf8")).toBe(whole);
  });

  test("because the database differs is not used", async () => {
    const stateDir = await twoRuns();
    await listed(stateDir);
    await recent(stateDir);
    utimesSync(path.join(stateDir, "wave.db"), 1, 1);
    const stale = readFileSync(indexOf(stateDir), "utf8");
    expect(ids(await recent(stateDir))).toEqual(["bb22", "aa11"]);
    expect(readFileSync(indexOf(stateDir), "utf8")).not.toBe(stale);
  });

  test("does not hide a journal that was cut, and state can be rebuilt", async () => {
    const stateDir = await twoRuns();
    await recent(stateDir);
    const file = journalOf(stateDir, "aa11");
    const lines = readFileSync(file, "utf8").split(/(?<=\n)/);
    writeFileSync(file, lines.slice(0, -2).join(""));
    expect(await storeIn(stateDir).recentRuns()).toMatchObject({ ok: false, error: { reason: "state-damaged", path: file } });
    must(await rebuildState(stateDir, systemClock));
    expect(ids(await recent(stateDir))).toEqual(["bb22", "aa11"]);
  });

  test("does not hide a journal that was damaged while it grew", async () => {
    const stateDir = await twoRuns();
    await recent(stateDir);
    const file = journalOf(stateDir, "aa11");
    writeFileSync(file, `${readFileSync(file, "utf8").replace('"demo"', '"fake"')}{}\n`);
    expect(await storeIn(stateDir).recentRuns()).toMatchObject({ ok: false, error: { reason: "state-damaged", path: file } });
  });
});
