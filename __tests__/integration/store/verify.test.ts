import { appendFileSync, chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { localBlobs } from "../../../src/blobs/local-blobs.ts";
import type { WaveEvent } from "../../../src/core/event.ts";
import { verifyState } from "../../../src/engine/verify-state.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { openSeal, sealDatabase } from "../../../src/store/database-seal.ts";
import { rebuildState } from "../../../src/store/rebuild-state.ts";
import { loadSql } from "../../../src/store/sql-engine.ts";
import { resealed } from "../../rig/resealed-journal.ts";
import { attemptStarted, started } from "../../rig/run-events.ts";
import { seeded } from "../../rig/seeded.ts";
import { append, journalOf, must, stateDirectory, storeIn } from "../../rig/state-rig.ts";
import { filesBelow, storedRun } from "../../rig/stored-runs.ts";

const verify = async (stateDir: string) => must(await verifyState({ stateDir, blobs: localBlobs(stateDir) }));
const findings = async (stateDir: string) => (await verify(stateDir)).findings;
const databaseOf = (stateDir: string) => path.join(stateDir, "wave.db");

/** Two runs, in journals and in the database. */
async function twoRuns(): Promise<string> {
  const stateDir = stateDirectory();
  await storedRun(stateDir, "aa11");
  await storedRun(stateDir, "bb22", { status: "failed" });
  must(await storeIn(stateDir).listRuns());
  return stateDir;
}

const lines = (file: string) =>
  readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => `${line}\n`);

/** Changes the tables under a valid seal. */
async function changeTables(stateDir: string, sqlText: string): Promise<void> {
  const sql = await loadSql();
  const db = new sql.Database(openSeal(readFileSync(databaseOf(stateDir))).content);
  db.run(sqlText);
  writeFileSync(databaseOf(stateDir), sealDatabase(db.export()));
  db.close();
}

test("reports nothing for intact state", async () => {
  const stateDir = await twoRuns();
  const { bytes, events, ...rest } = await verify(stateDir);
  expect(rest).toEqual({ findings: [], runs: 2, archived: 0, blobs: 16, database: true });
  expect([bytes > 0, events]).toEqual([true, 16]);
  expect(await verify(stateDirectory())).toMatchObject({ findings: [], runs: 0, database: false });
});

test("finds and names one flipped bit anywhere in a closed journal, a blob or the database", { timeout: 120_000 }, async () => {
  const stateDir = await twoRuns();
  const random = seeded(20_260_131);
  const files = ["journals", "blobs"].flatMap((part) => filesBelow(stateDir, part).map((name) => path.join(stateDir, part, name)));
  for (let round = 0; round < 500; round++) {
    const file = round % 3 === 0 ? databaseOf(stateDir) : (files[Math.floor(random() * files.length)] ?? "");
    const whole = readFileSync(file);
    const at = Math.floor(random() * whole.length);
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    chmodSync(file, 0o644);
    writeFileSync(file, flipped);
    const line = file.endsWith(".jsonl") ? { line: whole.subarray(0, at).filter((byte) => byte === 10).length + 1 } : {};
    expect(await findings(stateDir), `byte ${at} of ${file}`).toContainEqual(expect.objectContaining({ file, ...line }));
    writeFileSync(file, whole);
  }
  expect(await findings(stateDir)).toEqual([]);
});

describe("a journal", () => {
  test("cut at the end of any line is detected by the head that the database recorded", async () => {
    const stateDir = await twoRuns();
    const file = journalOf(stateDir, "aa11");
    const all = lines(file);
    for (let kept = 0; kept < all.length; kept++) {
      writeFileSync(file, all.slice(0, kept).join(""));
      expect(await findings(stateDir), `${kept} lines`).toEqual([
        { file, line: kept + 1, detail: `lines are missing at its end: it once had ${all.length}` },
      ]);
    }
  });

  test("that is gone is detected by the database, even as one of several", async () => {
    const stateDir = await twoRuns();
    const journal = must(await storeIn(stateDir).openJournal("aa11"));
    await append(journal, { type: "circuit-reset", breaker: "b" });
    must(await journal.close());
    must(await storeIn(stateDir).listRuns());
    const directory = path.join(stateDir, "journals/aa11");
    const [first = "", second = ""] = filesBelow(stateDir, "journals/aa11").map((name) => path.join(directory, name));
    const bytes = readFileSync(second);
    rmSync(second);
    expect(await findings(stateDir)).toEqual([{ file: second, detail: "the journal is gone" }]);
    writeFileSync(second, bytes);
    expect(await findings(stateDir)).toEqual([]);
    rmSync(first);
    rmSync(second);
    const gone = { file: directory, detail: "the journals of run aa11 are gone, and no cleanup removed them" };
    expect(await findings(stateDir)).toEqual([gone]);
    rmSync(directory, { recursive: true });
    expect(await findings(stateDir)).toEqual([gone]);
  });

  test.each<[string, number, (all: string[]) => string[]]>([
    ["with two lines swapped", 3, ([a = "", b = "", c = "", d = "", ...rest]) => [a, b, d, c, ...rest]],
    ["with a line taken out", 3, (all) => all.filter((_, index) => index !== 2)],
    ["with a line twice", 4, ([a = "", b = "", c = "", ...rest]) => [a, b, c, c, ...rest]],
  ])("%s is reported with the first line that does not match", async (_, line, change) => {
    const stateDir = await twoRuns();
    const file = journalOf(stateDir, "aa11");
    writeFileSync(file, change(lines(file)).join(""));
    expect(await findings(stateDir)).toEqual([expect.objectContaining({ file, line })]);
  });

  test("that is damaged does not hide the damage of others", async () => {
    const stateDir = await twoRuns();
    const files = ["aa11", "bb22"].map((run) => journalOf(stateDir, run));
    for (const file of files) writeFileSync(file, lines(file).slice(1).join(""));
    expect((await findings(stateDir)).map(({ file }) => file)).toEqual(files);
  });

  test("that is being written counts as intact, as does one whose writer died within a line", async () => {
    const stateDir = await twoRuns();
    const journal = must(await storeIn(stateDir).openJournal("cc33"));
    const { blobs } = await storedRun(stateDir, "dd44");
    const begun = { ...started({ a: [] }), manifest: blobs[1] } as Parameters<typeof append>[1];
    await append(journal, begun, attemptStarted("a"));
    must(await storeIn(stateDir).listRuns());
    await append(journal, { type: "circuit-reset", breaker: "b" });
    appendFileSync(journalOf(stateDir, "cc33"), '{"v":2,"run":"cc3');
    expect(await findings(stateDir)).toEqual([]);
    must(await journal.close());
  });

  test("that was forged from its first line is detected only if the database had read it before", async () => {
    const stateDir = await twoRuns();
    const file = journalOf(stateDir, "aa11");
    writeFileSync(file, resealed(lines(file).map((line) => JSON.parse(line) as WaveEvent)));
    expect(await findings(stateDir)).toEqual([{ file, line: 8, detail: "the line differs from the one that was read before" }]);
    rmSync(databaseOf(stateDir));
    expect(await findings(stateDir)).toEqual([]);
  });
});

describe("a blob", () => {
  test("that is missing is reported with the reference to it, even through a list", async () => {
    const stateDir = await twoRuns();
    const blobs = localBlobs(stateDir);
    const { blobs: own } = await storedRun(stateDir, "cc33");
    const journal = journalOf(stateDir, "cc33");
    const said = ["the pinned files, where it is listed", "the pinned files", "the run's input", "artifact `out` of step `a`"];
    for (const [index, as] of said.entries()) {
      const file = must(await blobs.pathOf(own[index] ?? "sha256:"));
      renameSync(file, `${file}.away`);
      const line = index === 3 ? 5 : 2;
      expect(await findings(stateDir)).toEqual([{ file, detail: `the blob is missing; ${journal}:${line} refers to ${as}` }]);
      renameSync(`${file}.away`, file);
    }
  });
});

describe("the database", () => {
  test.each([
    [
      "UPDATE runs SET fold = json_set(fold, '$.steps[0].attempts[0].durationMs', 13) WHERE run = 'aa11'",
      "run aa11",
      "steps.0.attempts.0.durationMs",
    ],
    ["UPDATE runs SET fold = json_set(fold, '$.outcome', 'passed') WHERE run = 'bb22'", "run bb22", "outcome"],
    [
      "UPDATE runs SET fold = json_remove(fold, '$.steps[0].attempts[0].artifacts[0]') WHERE run = 'aa11'",
      "run aa11",
      "steps.0.attempts.0.artifacts",
    ],
    ["UPDATE runs SET fold = '{' WHERE run = 'bb22'", "run bb22", "cannot be read"],
    ["UPDATE runs SET summary = json_set(summary, '$.outcome', 'passed') WHERE run = 'bb22'", "run bb22", "runs.0.summary.outcome"],
    ["UPDATE runs SET finished_at = NULL WHERE run = 'aa11'", "run aa11", "runs.0.finished_at"],
    ["UPDATE runs SET digest = 'sha256:0' WHERE run = 'aa11'", "run aa11", "runs.0.digest"],
    ["INSERT INTO breaker_samples VALUES ('k', '2026', 'aa11', 1, 0, 1)", "run aa11", "breaker_samples.0"],
    ["INSERT INTO revoked_work VALUES ('aa11', 0, 'a', 'bb22', 1)", "run aa11", "revoked_work.0"],
  ])("whose rows differ from the journals is detected: %s", async (change, run, where) => {
    const stateDir = await twoRuns();
    await changeTables(stateDir, change);
    const [found, ...others] = await findings(stateDir);
    expect(others).toEqual([]);
    expect(found?.file).toBe(databaseOf(stateDir));
    for (const part of [run, where]) expect(found?.detail).toContain(part);
  });

  test("of another program, or cut, is reported", async () => {
    const stateDir = await twoRuns();
    const whole = readFileSync(databaseOf(stateDir));
    writeFileSync(databaseOf(stateDir), whole.subarray(0, whole.length / 2));
    expect((await findings(stateDir))[0]).toMatchObject({
      file: databaseOf(stateDir),
      detail: expect.stringContaining("does not end with Wave's seal"),
    });
    writeFileSync(databaseOf(stateDir), "no database");
    expect((await findings(stateDir)).map(({ file }) => file)).toEqual([databaseOf(stateDir), databaseOf(stateDir)]);
  });

  test("with a broken seal is rebuilt by the next query, including archived runs", async () => {
    const stateDir = await twoRuns();
    rmSync(path.join(stateDir, "journals/aa11"), { recursive: true });
    const before = must(await storeIn(stateDir).listRuns());
    const bytes = readFileSync(databaseOf(stateDir));
    bytes[bytes.length - 10] = bytes[bytes.length - 10] === 48 ? 49 : 48;
    writeFileSync(databaseOf(stateDir), bytes);
    expect(await findings(stateDir)).toHaveLength(1);
    expect(must(await storeIn(stateDir).listRuns())).toEqual(before);
    expect(await verify(stateDir)).toMatchObject({ findings: [], runs: 1, archived: 1 });
    expect(readFileSync(`${databaseOf(stateDir)}.damaged`).equals(bytes)).toBe(true);
  });
});

describe("the header of the database", () => {
  /** https://www.sqlite.org/fileformat.html: the version of the tables, and their application. */
  test.each([63, 62, 71, 68])("with byte %i changed costs no run, not even archived ones", async (at) => {
    const stateDir = await twoRuns();
    rmSync(path.join(stateDir, "journals/aa11"), { recursive: true });
    const before = must(await storeIn(stateDir).listRuns());
    const whole = readFileSync(databaseOf(stateDir));
    for (let bit = 0; bit < 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      writeFileSync(databaseOf(stateDir), bytes);
      expect((await findings(stateDir))[0]).toMatchObject({ file: databaseOf(stateDir) });
      expect(must(await storeIn(stateDir).listRuns())).toEqual(before);
      expect(await findings(stateDir)).toEqual([]);
    }
  });
});

describe("rebuilding", () => {
  test("produces the same rows from the journals, and copies the runs that only the old database has", async () => {
    const stateDir = await twoRuns();
    const whole = must(await storeIn(stateDir).findRun("aa11"));
    mkdirSync(path.join(stateDir, "away"));
    renameSync(path.join(stateDir, "journals/aa11"), path.join(stateDir, "away/aa11"));
    await changeTables(stateDir, "UPDATE runs SET fold = json_set(fold, '$.outcome', 'passed') WHERE run = 'bb22'");
    expect(must(await rebuildState(stateDir, systemClock))).toEqual({ runs: 1, archived: 1, disagreements: [] });
    expect(await findings(stateDir)).toEqual([]);
    expect(must(await storeIn(stateDir).listRuns())).toMatchObject([
      { id: "bb22", status: "failed", archived: false },
      { id: "aa11", archived: true },
    ]);
    expect(must(await storeIn(stateDir).findRun("aa11"))).toEqual({ ...whole, archived: true });
    renameSync(path.join(stateDir, "away/aa11"), path.join(stateDir, "journals/aa11"));
    expect(must(await rebuildState(stateDir, systemClock))).toMatchObject({ runs: 2, archived: 0 });
  });

  test("uses journals that were cut, and reports what the old database had read", async () => {
    const stateDir = await twoRuns();
    const file = journalOf(stateDir, "aa11");
    writeFileSync(file, lines(file).slice(0, -2).join(""));
    expect(await storeIn(stateDir).listRuns()).toMatchObject({ ok: false, error: { reason: "state-damaged" } });
    expect(must(await rebuildState(stateDir, systemClock)).disagreements).toMatchObject([{ file, line: 7 }]);
    // No event records its end, and its writer is this process.
    expect(must(await storeIn(stateDir).listRuns())).toMatchObject([{ id: "bb22" }, { id: "aa11", status: "running" }]);
  });

  test("makes state readable again if the first of a run's journals is lost", async () => {
    const stateDir = await twoRuns();
    const first = journalOf(stateDir, "aa11");
    const journal = must(await storeIn(stateDir).openJournal("aa11"));
    await append(journal, { type: "circuit-reset", breaker: "b" });
    must(await journal.close());
    must(await storeIn(stateDir).listRuns());
    rmSync(first);
    expect((await storeIn(stateDir).listRuns()).ok).toBe(false);
    expect(must(await rebuildState(stateDir, systemClock))).toEqual({
      runs: 1,
      archived: 0,
      disagreements: [{ file: first, detail: "the journal is gone" }],
    });
    expect(must(await storeIn(stateDir).listRuns())).toMatchObject([{ id: "bb22" }]);
    expect(await findings(stateDir)).toEqual([]);
  });

  test("creates a missing database, and fails if a journal is damaged", async () => {
    const stateDir = await twoRuns();
    copyFileSync(databaseOf(stateDir), path.join(stateDir, "copy"));
    rmSync(databaseOf(stateDir));
    expect(must(await rebuildState(stateDir, systemClock))).toEqual({ runs: 2, archived: 0, disagreements: [] });
    expect(await findings(stateDir)).toEqual([]);
    const before = readFileSync(databaseOf(stateDir));
    const file = journalOf(stateDir, "aa11");
    writeFileSync(file, lines(file).slice(1).join(""));
    expect(await rebuildState(stateDir, systemClock)).toMatchObject({ ok: false, error: { reason: "state-damaged", path: file, line: 1 } });
    expect(readFileSync(databaseOf(stateDir)).equals(before)).toBe(true);
    expect(must(await rebuildState(stateDirectory(), systemClock))).toEqual({ runs: 0, archived: 0, disagreements: [] });
  });
});
