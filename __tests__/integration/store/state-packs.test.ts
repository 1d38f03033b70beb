/**
 * State packs of several jobs: importing them is a union, in any order and any number of times; invalid parts are
 * refused by name.
 */
import { appendFileSync, cpSync, mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { blobFile } from "../../../src/blobs/blob-files.ts";
import { localBlobs } from "../../../src/blobs/local-blobs.ts";
import { err } from "../../../src/core/result.ts";
import { blobsOfEvent, packForCache, packRun } from "../../../src/engine/state-export.ts";
import { discardStaleDatabase, importState } from "../../../src/engine/state-import.ts";
import { createRedactor } from "../../../src/redaction/redactor.ts";
import { loadSql } from "../../../src/store/sql-engine.ts";
import fc from "../../rig/property.ts";
import { attemptStarted } from "../../rig/run-events.ts";
import { append, must, stateDirectory, storeIn, temporary } from "../../rig/state-rig.ts";
import { filesBelow, storedRun } from "../../rig/stored-runs.ts";

/** As from a carrier of the job's own trust level. */
const trusted = { database: true };

const memoryOf = (stateDir: string) => ({
  ...{ stateDir, stateRoot: stateDir },
  state: storeIn(stateDir),
  blobs: localBlobs(stateDir),
  redactor: createRedactor([]),
});

describe("state packed for the cache", () => {
  it("contains the newest runs with their blobs, and the database with all runs", async () => {
    const from = stateDirectory();
    const { blobs } = await storedRun(from, "r1");
    await storedRun(from, "r2", { status: "failed" });
    const pack = path.join(temporary(), "pack");
    must(await packForCache(memoryOf(from), pack));
    const to = stateDirectory();
    const adopted = must(await importState(pack, to, trusted));
    expect(adopted).toMatchObject({ runs: ["r1", "r2"], refused: [] });
    expect(await discardStaleDatabase(storeIn(to), to)).toBe(false);
    expect(filesBelow(to, "journals")).toEqual(filesBelow(from, "journals"));
    expect(filesBelow(to, "blobs")).toEqual(filesBelow(from, "blobs"));
    for (const digest of blobs) expect((await localBlobs(to).get(digest)).ok).toBe(true);
    expect(must(await storeIn(to).findRun("r1"))).toEqual(must(await storeIn(from).findRun("r1")));
  });

  it("is readable by tar while other packs link the same blobs", async () => {
    const from = stateDirectory();
    const { blobs } = await storedRun(from, "r1");
    const pack = path.join(temporary(), "pack");
    must(await packForCache(memoryOf(from), pack));
    const before = blobs.map((digest) => statSync(blobFile(pack, digest), { bigint: true }).ctimeNs);
    await packRun(from, "r1", blobs, path.join(temporary(), "other"));
    expect(blobs.map((digest) => statSync(blobFile(pack, digest), { bigint: true }).ctimeNs)).toEqual(before);
  });

  it("fails if state cannot be read, instead of packing nothing", async () => {
    const from = stateDirectory();
    const memory = memoryOf(from);
    const failure = { reason: "state-unreadable", path: "wave.db", detail: "no" } as const;
    const state = { ...memory.state, listRuns: () => Promise.resolve(err(failure)) };
    expect(await packForCache({ ...memory, state }, path.join(temporary(), "pack"))).toEqual(err(failure));
  });

  it("is imported without its database if that is newer, damaged or not a file", async () => {
    const sql = await loadSql();
    const newer = new sql.Database();
    newer.exec("CREATE TABLE later (a); PRAGMA application_id = 0; PRAGMA user_version = 99");
    const cases = [Buffer.from(newer.export()), Buffer.from("not a database, but long enough to be read as one ".repeat(50))];
    for (const bytes of cases) {
      const pack = temporary();
      writeFileSync(path.join(pack, "wave.db"), bytes);
      const { refused } = must(await importState(pack, stateDirectory(), trusted));
      expect(refused).toEqual([expect.stringMatching(/^the database was refused: /)]);
    }
    const pack = temporary();
    symlinkSync("/etc/passwd", path.join(pack, "wave.db"));
    expect(must(await importState(pack, stateDirectory(), trusted)).refused).toEqual([
      "the database was refused: it is not a regular file",
    ]);
  });
});

describe("journals from several jobs", () => {
  it("produce the same state for any order and number of imports", async () => {
    const from = stateDirectory();
    await storedRun(from, "r1");
    const packs: string[] = [];
    for (let part = 0; part < 3; part += 1) {
      const journal = must(await storeIn(from).openJournal("r1"));
      await append(journal, { type: "run-resumed", concurrency: 1, onFailure: "finish" }, attemptStarted("a", 2 + part));
      const pack = path.join(temporary(), "pack");
      await packRun(from, "r1", [], pack);
      packs.push(pack);
      must(await journal.close());
    }
    const last = path.join(temporary(), "pack");
    await packRun(from, "r1", [], last);
    const wanted = must(await storeIn(from).readEvents("r1"));
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...packs, last, ...packs], { minLength: 1 }), async (order) => {
        const to = stateDirectory();
        for (const pack of [...order, last]) expect(must(await importState(pack, to, trusted)).refused).toEqual([]);
        expect(must(await storeIn(to).readEvents("r1"))).toEqual(wanted);
      }),
      { seed: 21, numRuns: 12 },
    );
  });

  it("are refused by name if a line was changed, if a different one exists, and if they are links", async () => {
    const from = stateDirectory();
    await storedRun(from, "r1");
    const [name = ""] = filesBelow(from, "journals");
    const take = async (change: (file: string) => void) => {
      const pack = path.join(temporary(), "pack");
      cpSync(path.join(from, "journals"), path.join(pack, "journals"), { recursive: true });
      change(path.join(pack, "journals", name));
      const to = stateDirectory();
      return { to, refused: must(await importState(pack, to, trusted)).refused };
    };
    const changed = await take((file) => writeFileSync(file, readFileSync(file, "utf8").replace('"demo"', '"evil"')));
    expect(changed.refused).toEqual([`journal ${name} was refused: line 2: its hash does not match its bytes`]);
    expect(must(await storeIn(changed.to).listRuns())).toEqual([]);

    const cut = await take((file) => truncateSync(file, readFileSync(file).length - 10));
    expect(cut.refused).toEqual([]);
    const again = path.join(temporary(), "pack");
    mkdirSync(path.join(again, "journals", "r1"), { recursive: true });
    cpSync(path.join(from, "journals", name), path.join(again, "journals", name));
    expect(must(await importState(again, cut.to, trusted)).refused).toEqual([]);
    expect(readFileSync(path.join(cut.to, "journals", name))).toEqual(readFileSync(path.join(from, "journals", name)));

    const other = stateDirectory();
    await storedRun(other, "r1", { content: "other" });
    const [foreign = ""] = filesBelow(other, "journals");
    const pack = path.join(temporary(), "pack");
    mkdirSync(path.join(pack, "journals", "r1"), { recursive: true });
    cpSync(path.join(other, "journals", foreign), path.join(pack, "journals", name));
    expect(must(await importState(pack, cut.to, trusted)).refused).toEqual([
      expect.stringMatching(/^journal r1\/.* was refused: line 1: it belongs to writer/),
    ]);
    const linked = path.join(temporary(), "pack");
    mkdirSync(path.join(linked, "journals", "r9"), { recursive: true });
    symlinkSync(path.join(from, "journals", name), path.join(linked, "journals", "r9", "w.jsonl"));
    expect(must(await importState(linked, stateDirectory(), trusted)).refused).toEqual([
      "journal r9/w.jsonl was refused: it is not a regular file",
    ]);
  });

  it("never remove whole lines that exist here", async () => {
    const from = stateDirectory();
    await storedRun(from, "r1");
    const old = path.join(temporary(), "pack");
    await packRun(from, "r1", [], old);
    const [name = ""] = filesBelow(from, "journals");
    const whole = readFileSync(path.join(from, "journals", name), "utf8");
    writeFileSync(path.join(old, "journals", name), whole.slice(0, whole.indexOf("\n", 2000) + 1));
    must(await importState(old, from, trusted));
    expect(readFileSync(path.join(from, "journals", name), "utf8")).toBe(whole);
  });
});

describe("blobs", () => {
  it("are refused if their bytes do not match their names", async () => {
    const from = stateDirectory();
    const { blobs } = await storedRun(from, "r1");
    const events = must(await storeIn(from).readEvents("r1"));
    const referred = new Set((await Promise.all(events.map((event) => blobsOfEvent(localBlobs(from), event)))).flat());
    expect([...referred].sort()).toEqual([...new Set(blobs)].sort());
    const pack = path.join(temporary(), "pack");
    await packRun(from, "r1", [...referred], pack);
    const [first = blobs[0]] = blobs;
    if (first === undefined) throw new Error("a run has blobs");
    const file = blobFile(pack, first);
    const bytes = readFileSync(file);
    writeFileSync(`${file}.new`, bytes);
    appendFileSync(`${file}.new`, "!");
    cpSync(`${file}.new`, file, { force: true });
    const to = stateDirectory();
    expect(must(await importState(pack, to, trusted)).refused).toEqual([
      `blob ${first.slice(0, 19)} was refused: its bytes do not match its name`,
    ]);
    expect((await localBlobs(to).get(first)).ok).toBe(false);
  });
});
