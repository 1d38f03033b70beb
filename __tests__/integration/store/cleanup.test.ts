import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { localBlobs } from "../../../src/blobs/local-blobs.ts";
import { cleanUp } from "../../../src/engine/cleanup.ts";
import { verifyState } from "../../../src/engine/verify-state.ts";
import type { RunCriteria } from "../../../src/store/select-runs.ts";
import { digest } from "../../rig/plan-fixtures.ts";
import { started } from "../../rig/run-events.ts";
import { append, must, stateDirectory, storeIn } from "../../rig/state-rig.ts";
import { age, blobsIn, filesBelow, storedRun } from "../../rig/stored-runs.ts";

/** Matches every run that ended, whatever the clocks of its writers. */
const everything: RunCriteria = { statuses: ["passed", "failed", "cancelled", "interrupted"] };
const day = 24 * 3_600_000;
const memoryOf = (stateDir: string) => ({ stateDir, state: storeIn(stateDir), blobs: localBlobs(stateDir) });
const clean = async (stateDir: string, criteria: RunCriteria = {}, dry = false) =>
  must(await cleanUp({ store: memoryOf(stateDir), criteria, dry }));
const findings = async (stateDir: string) => must(await verifyState(memoryOf(stateDir))).findings;
const ids = async (stateDir: string) => must(await storeIn(stateDir).listRuns()).map(({ id, archived }) => (archived ? `(${id})` : id));

/** Leftovers of an attempt. */
function leave(stateDir: string, kind: "workspaces" | "logs", run: string, text = "left"): string {
  const file = path.join(stateDir, kind, run, "a.1", "file");
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

describe("removed runs", () => {
  test("keep their rows, but lose their journals and the blobs that only they refer to", async () => {
    const stateDir = stateDirectory();
    await storedRun(stateDir, "aa11");
    const { blobs: kept } = await storedRun(stateDir, "bb22");
    const whole = must(await storeIn(stateDir).findRun("aa11"));
    age(stateDir, "blobs", 2 * day);
    const cleaned = await clean(stateDir, { keepLast: 1 });
    expect(cleaned.runs.map(({ id }) => id)).toEqual(["aa11"]);
    expect(cleaned.gone.count).toBe(8);
    expect(cleaned.bytes).toBe(cleaned.gone.bytes + cleaned.parts.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(await ids(stateDir)).toEqual(["bb22", "(aa11)"]);
    expect(must(await storeIn(stateDir).findRun("aa11"))).toEqual({ ...whole, archived: true });
    expect(filesBelow(stateDir, "journals")).toHaveLength(1);
    expect(blobsIn(stateDir)).toEqual([...kept].sort());
    expect(existsSync(path.join(stateDir, "trash"))).toBe(false);
    expect(await findings(stateDir)).toEqual([]);
  });

  test("keep blobs that another run refers to, directly or through its changes and pinned files", async () => {
    const stateDir = stateDirectory();
    await storedRun(stateDir, "aa11", { content: "same" });
    await storedRun(stateDir, "bb22", { content: "same" });
    age(stateDir, "blobs", 2 * day);
    expect((await clean(stateDir, { keepLast: 1 })).gone.count).toBe(0);
    expect(await findings(stateDir)).toEqual([]);
  });

  test("do not include runs whose results a kept run reuses, directly or through another run", async () => {
    const stateDir = stateDirectory();
    for (const run of ["aa11", "bb22", "cc33"]) await storedRun(stateDir, run);
    const reuse = async (run: string, from: string) => {
      const journal = must(await storeIn(stateDir).openJournal(run));
      await append(journal, started({ a: [] }), {
        ...{ type: "step-reused", step: "a", from: { run: from, attempt: 1 } },
        ...{ fingerprint: { work: digest("w"), gate: digest("g"), parts: {} }, artifacts: [] },
      });
      await append(journal, { type: "run-finished", status: "passed", durationMs: 1, tree: digest("tree") });
      must(await journal.close());
    };
    await reuse("dd44", "aa11");
    await reuse("ee55", "dd44");
    const cleaned = await clean(stateDir, { keepLast: 1 });
    expect(cleaned.runs.map(({ id }) => id).sort()).toEqual(["bb22", "cc33"]);
    expect(cleaned.reused).toEqual([
      { run: "dd44", by: "ee55" },
      { run: "aa11", by: "dd44" },
    ]);
  });

  test("no longer offer their results for reuse", async () => {
    const stateDir = stateDirectory();
    await storedRun(stateDir, "aa11");
    expect(must(await storeIn(stateDir).cachedResults("demo"))).toHaveLength(1);
    await clean(stateDir, everything);
    expect(must(await storeIn(stateDir).cachedResults("demo"))).toEqual([]);
    expect(
      must(await storeIn(stateDir).runsEndingAt("demo", must(await storeIn(stateDir).findRun("aa11")).treeAfter ?? "sha256:")),
    ).toEqual([]);
  });

  test("are the same in a dry run, which removes nothing", async () => {
    const stateDir = stateDirectory();
    for (const run of ["aa11", "bb22", "cc33"]) await storedRun(stateDir, run);
    leave(stateDir, "workspaces", "aa11");
    age(stateDir, "blobs", 2 * day);
    await ids(stateDir);
    const before = filesBelow(stateDir, ".");
    const dry = await clean(stateDir, { keepLast: 1 }, true);
    expect(filesBelow(stateDir, ".")).toEqual(before);
    expect(await clean(stateDir, { keepLast: 1 })).toEqual(dry);
    expect(await clean(stateDir, { keepLast: 1 })).toMatchObject({ runs: [], parts: [], gone: { count: 0 }, bytes: 0 });
  });

  test("offer their results until their blobs are removed if only their journals were deleted", async () => {
    const stateDir = stateDirectory();
    await storedRun(stateDir, "aa11");
    await ids(stateDir);
    rmSync(path.join(stateDir, "journals/aa11"), { recursive: true });
    expect(must(await storeIn(stateDir).cachedResults("demo"))).toHaveLength(1);
    age(stateDir, "blobs", 2 * day);
    expect(await clean(stateDir)).toMatchObject({ gone: { count: 8 } });
    expect(must(await storeIn(stateDir).cachedResults("demo"))).toEqual([]);
  });

  test("are all kept if one cannot be folded", async () => {
    const stateDir = stateDirectory();
    await storedRun(stateDir, "aa11");
    await storedRun(stateDir, "bb22");
    const file = path.join(stateDir, "journals/aa11", filesBelow(stateDir, "journals/aa11")[0] ?? "");
    writeFileSync(file, readFileSync(file, "latin1").replace("run-finished", "run-finishes"), "latin1");
    const cleaned = await cleanUp({ store: memoryOf(stateDir), criteria: everything, dry: false });
    expect(cleaned).toMatchObject({ ok: false, error: { reason: "state-damaged", path: file } });
    expect(filesBelow(stateDir, "journals")).toHaveLength(2);
  });
});

describe("a cleanup without criteria", () => {
  test("removes workspaces and logs, except those of each pipeline's newest run", async () => {
    const stateDir = stateDirectory();
    await storedRun(stateDir, "aa11");
    await storedRun(stateDir, "bb22");
    await storedRun(stateDir, "cc33", { pipeline: "other" });
    const left = (["workspaces", "logs"] as const).flatMap((kind) =>
      ["aa11", "bb22", "cc33", "dd44"].map((run) => leave(stateDir, kind, run)),
    );
    mkdirSync(path.join(stateDir, "workspaces/no-inputs"));
    const cleaned = await clean(stateDir);
    expect(left.filter((file) => existsSync(file)).map((file) => path.relative(stateDir, file).split(path.sep)[1])).toEqual([
      "bb22",
      "cc33",
      "bb22",
      "cc33",
    ]);
    expect(existsSync(path.join(stateDir, "workspaces/no-inputs"))).toBe(true);
    expect(cleaned.runs).toEqual([]);
    expect(cleaned.parts).toEqual(
      ["aa11", "dd44"].flatMap((run) => [
        { run, kind: "logs", bytes: 4 },
        { run, kind: "workspaces", bytes: 4 },
      ]),
    );
    expect(await ids(stateDir)).toEqual(["cc33", "bb22", "aa11"]);
  });

  test("removes unreferenced blobs that are older than an hour", async () => {
    const stateDir = stateDirectory();
    await storedRun(stateDir, "aa11");
    const blobs = localBlobs(stateDir);
    const old = must(await blobs.put(Buffer.from("old")));
    age(stateDir, "blobs", 2 * 3_600_000);
    must(await blobs.put(Buffer.from("young")));
    expect(await clean(stateDir)).toMatchObject({ gone: { count: 1, bytes: 3 }, young: { count: 1, bytes: 5 } });
    expect(blobsIn(stateDir)).not.toContain(old.digest);
    expect(await findings(stateDir)).toEqual([]);
  });

  test("keeps an old blob that was stored or verified again recently", async () => {
    const stateDir = stateDirectory();
    const blobs = localBlobs(stateDir);
    const put = must(await blobs.put(Buffer.from("put again")));
    const taken = must(await blobs.put(Buffer.from("taken again")));
    age(stateDir, "blobs", 2 * day);
    must(await blobs.put(Buffer.from("put again")));
    must(await blobs.pathOf(taken.digest));
    expect(await clean(stateDir)).toMatchObject({ gone: { count: 0 }, young: { count: 2 } });
    expect(blobsIn(stateDir)).toEqual([put.digest, taken.digest].sort());
  });

  test("removes temporary files of dead writers, and journals of runs that never started", async () => {
    const stateDir = stateDirectory();
    await storedRun(stateDir, "aa11");
    const journal = must(await storeIn(stateDir).openJournal("never"));
    must(await journal.close());
    writeFileSync(path.join(stateDir, "blobs/sha256", filesBelow(stateDir, "blobs/sha256")[0]?.slice(0, 2) ?? "", ".x.tmp"), "torn");
    for (const part of ["blobs", "journals"]) age(stateDir, part, 2 * day);
    expect(await clean(stateDir)).toMatchObject({ gone: { count: 1, bytes: 4 }, parts: [{ run: "never", kind: "journals" }] });
    expect(existsSync(path.join(stateDir, "journals/never"))).toBe(false);
    expect(await ids(stateDir)).toEqual(["aa11"]);
    expect(await findings(stateDir)).toEqual([]);
  });
});

describe("an active run", () => {
  test("is kept, with all blobs that were touched since shortly before it started", async () => {
    const stateDir = stateDirectory();
    const journal = must(await storeIn(stateDir).openJournal("aa11"));
    await append(journal, started({ a: [] }));
    const workspace = leave(stateDir, "workspaces", "aa11");
    await storedRun(stateDir, "bb22");
    await localBlobs(stateDir).put(Buffer.from("not yet referred to"));
    age(stateDir, "blobs", 2 * 3_600_000);
    const lock = path.join(stateDir, "locks/run-aa11");
    age(stateDir, "locks", 3 * 3_600_000);
    const cleaned = await clean(stateDir, everything);
    expect(cleaned.runs.map(({ id }) => id)).toEqual(["bb22"]);
    expect(cleaned).toMatchObject({ gone: { count: 0 }, young: { count: 9 } });
    expect([existsSync(workspace), existsSync(lock)]).toEqual([true, true]);
    expect(await clean(stateDir)).toMatchObject({ live: [], parts: [] });
    await storedRun(stateDir, "cc33");
    expect(await clean(stateDir)).toMatchObject({ live: ["aa11"], parts: [] });
    must(await journal.close());
    expect(await clean(stateDir, { statuses: ["interrupted"] })).toMatchObject({ runs: [{ id: "aa11" }] });
  });
});

describe("cleanups", () => {
  test("in parallel remove each run once, while readers see whole runs", async () => {
    const stateDir = stateDirectory();
    for (let run = 10; run < 30; run++) await storedRun(stateDir, `run${run}`);
    age(stateDir, "blobs", 2 * day);
    const cleaning = Promise.all([1, 2, 3].map(() => clean(stateDir, { keepLast: 1 })));
    const readers = Promise.all(
      Array.from({ length: 12 }, async () => {
        const listed = await storeIn(stateDir).listRuns();
        const found = await storeIn(stateDir).findRun("run10");
        return [must(listed).length, must(found).status];
      }),
    );
    for (const read of await readers) expect(read).toEqual([20, "passed"]);
    expect((await cleaning).map(({ runs }) => runs.length).sort()).toEqual([0, 0, 19]);
    expect(blobsIn(stateDir)).toHaveLength(8);
    expect(await findings(stateDir)).toEqual([]);
  });

  test("that died between any two steps are completed by the next one", async () => {
    const stateDir = stateDirectory();
    await storedRun(stateDir, "aa11");
    await storedRun(stateDir, "bb22");
    leave(stateDir, "workspaces", "aa11");
    age(stateDir, "blobs", 2 * day);
    await ids(stateDir);
    // The cleanup died after it moved the journals aside.
    mkdirSync(path.join(stateDir, "trash"));
    renameSync(path.join(stateDir, "journals/aa11"), path.join(stateDir, "trash/aa11.0000"));
    expect(await ids(stateDir)).toEqual(["bb22", "(aa11)"]);
    const cleaned = await clean(stateDir);
    expect(cleaned).toMatchObject({ gone: { count: 8 }, parts: [{ run: "aa11", kind: "workspaces" }] });
    expect(existsSync(path.join(stateDir, "trash"))).toBe(false);
    expect(await findings(stateDir)).toEqual([]);
  });

  test("of missing state do not create it", async () => {
    const stateDir = stateDirectory();
    expect(await clean(stateDir, everything)).toMatchObject({ runs: [], bytes: 0 });
    expect(() => statSync(stateDir)).toThrow();
  });
});
