import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { WaveEvent } from "../../../src/core/event.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { processIdentity } from "../../../src/platform/process-identity.ts";
import { createRedactor } from "../../../src/redaction/redactor.ts";
import { takeLock } from "../../../src/store/lock-file.ts";
import { attemptPassed, attemptStarted, started } from "../../rig/run-events.ts";
import { append, journalOf, must, passingRun, stateDirectory, storeIn, temporary } from "../../rig/state-rig.ts";

const linesOf = (file: string) => readFileSync(file, "utf8").split("\n").slice(0, -1);

/** Checks a journal without Wave's own code: recomputes what the documentation promises. */
function verifiedLines(file: string): WaveEvent[] {
  let head = "0".repeat(64);
  return linesOf(file).map((line, index) => {
    const event = JSON.parse(line) as WaveEvent;
    const hash = createHash("sha256")
      .update(line.slice(0, line.lastIndexOf(',"hash":')))
      .digest("hex");
    expect([event.hash, event.prev, event.seq]).toEqual([hash, head, index + 1]);
    head = hash;
    return event;
  });
}

describe("a journal", () => {
  test("is a chain of lines from `writer-opened` to `writer-closed` with its head", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11", ["a"]);
    const events = verifiedLines(journalOf(stateDir, "aa11"));
    expect(events.map((event) => event.type)).toEqual([
      "writer-opened",
      "run-started",
      "attempt-started",
      "contract-checked",
      "attempt-passed",
      "step-finished",
      "run-finished",
      "writer-closed",
    ]);
    expect(events[0]).toMatchObject({ v: 2, run: "aa11", wave: "0.0.0", node: process.version, ...processIdentity() });
    expect(events.at(-1)).toMatchObject({ head: events.at(-2)?.hash });
    expect(must(await storeIn(stateDir).readEvents("aa11"))).toEqual(events);
  });

  test("returns overlapping appends as written on disk, in the order of the calls", async () => {
    const stateDir = stateDirectory();
    const journal = must(await storeIn(stateDir).openJournal("aa11"));
    await append(journal, started({ a: [] }));
    const calls = Array.from({ length: 300 }, (_, index) =>
      journal.append([attemptStarted("a", index + 1), attemptPassed("a", index + 1)]),
    );
    const reported = (await Promise.all(calls)).flatMap((result) => must(result));
    const stored = verifiedLines(journalOf(stateDir, "aa11")).slice(2);
    expect(reported).toEqual(stored);
    expect(stored.map((event) => event.seq)).toEqual(Array.from({ length: 600 }, (_, index) => index + 3));
    must(await journal.close());
  });

  test("contains and returns no secrets", async () => {
    const stateDir = stateDirectory();
    const journal = must(await storeIn(stateDir, { redactor: createRedactor(["hunter22"]) }).openJournal("aa11"));
    const [event] = must(await journal.append([{ type: "step-finished", step: "a", status: "skipped", because: "said hunter22" }]));
    must(await journal.close());
    expect(event).toMatchObject({ because: "said ***" });
    expect(readFileSync(journalOf(stateDir, "aa11"), "utf8")).not.toContain("hunter22");
    expect(must(await storeIn(stateDir).readEvents("aa11"))[1]).toEqual(event);
  });

  test("without appended events is complete, and can be closed twice", async () => {
    const stateDir = stateDirectory();
    const journal = must(await storeIn(stateDir).openJournal("aa11"));
    expect(await Promise.all([journal.close(), journal.close()])).toEqual([
      { ok: true, value: undefined },
      { ok: true, value: undefined },
    ]);
    expect(verifiedLines(journalOf(stateDir, "aa11")).map((event) => event.type)).toEqual(["writer-opened", "writer-closed"]);
  });

  test("of a resumed run continues the Lamport clock of the earlier ones", async () => {
    const stateDir = stateDirectory();
    const store = storeIn(stateDir);
    await passingRun(store, "aa11", ["a"]);
    const journal = must(await store.openJournal("aa11"));
    await append(journal, { type: "run-resumed", concurrency: 1, onFailure: "finish" });
    must(await journal.close());
    const events = must(await store.readEvents("aa11"));
    expect(events.map((event) => event.clock)).toEqual(events.map((_, index) => index + 1));
    expect(new Set(events.map((event) => event.writer)).size).toBe(2);
  });

  test("creates a state directory that git ignores", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    expect(readFileSync(path.join(stateDir, ".gitignore"), "utf8")).toBe("*\n");
  });

  test("cannot be created if a file has the directory's name", async () => {
    const stateDir = path.join(temporary(), "state");
    writeFileSync(stateDir, "");
    expect(await storeIn(stateDir).openJournal("aa11")).toMatchObject({
      ok: false,
      error: { reason: "state-unwritable", path: stateDir, code: "EEXIST" },
    });
  });
});

describe("a run's lock", () => {
  const lockOf = (stateDir: string) => path.join(stateDir, "locks", "run-aa11");
  const leave = (stateDir: string, text: string) => {
    mkdirSync(path.join(stateDir, "locks"), { recursive: true });
    writeFileSync(lockOf(stateDir), text);
  };

  test("blocks a second writer until the first has closed", async () => {
    const stateDir = stateDirectory();
    const journal = must(await storeIn(stateDir).openJournal("aa11"));
    expect(await storeIn(stateDir).openJournal("aa11")).toEqual({
      ok: false,
      error: { reason: "run-active", run: "aa11", pid: process.pid, host: hostname() },
    });
    must(await must(await storeIn(stateDir).openJournal("bb22")).close());
    must(await journal.close());
    must(await must(await storeIn(stateDir).openJournal("aa11")).close());
    expect(readdirSync(path.join(stateDir, "locks"))).toEqual([]);
  });

  test.each([
    ["a process that is gone", { pid: 2 ** 22 + 1 }],
    ["a process whose id was given to another", { processStart: "before" }],
  ])("of %s is taken over", async (_, members) => {
    const stateDir = stateDirectory();
    leave(stateDir, JSON.stringify({ ...processIdentity(), ...members }));
    must(await must(await storeIn(stateDir).openJournal("aa11")).close());
    expect(existsSync(lockOf(stateDir))).toBe(false);
  });

  test("of another host is respected", async () => {
    const stateDir = stateDirectory();
    leave(stateDir, JSON.stringify({ pid: 7, processStart: "1", host: "elsewhere" }));
    expect(await storeIn(stateDir).openJournal("aa11")).toMatchObject({
      ok: false,
      error: { reason: "run-active", pid: 7, host: "elsewhere" },
    });
  });

  test("without a name is respected for a moment, and then treated as a dead holder's", async () => {
    const stateDir = stateDirectory();
    leave(stateDir, "");
    expect(await storeIn(stateDir).openJournal("aa11")).toMatchObject({ ok: false, error: { reason: "run-active" } });
    const later = { ...systemClock, now: () => Date.now() + 60_000 };
    must(await must(await storeIn(stateDir, { clock: later }).openJournal("aa11")).close());
  });

  test("of a dead process is taken over by one of many writers", async () => {
    for (let round = 0; round < 20; round++) {
      const stateDir = stateDirectory();
      leave(stateDir, JSON.stringify({ ...processIdentity(), pid: 2 ** 22 + 1 }));
      const taken = await Promise.all(Array.from({ length: 12 }, () => takeLock(lockOf(stateDir), systemClock)));
      expect(taken.filter((result) => result.ok)).toHaveLength(1);
    }
  });
});
