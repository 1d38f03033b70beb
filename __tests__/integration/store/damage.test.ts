import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { WaveEvent } from "../../../src/core/event.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { sealEvent } from "../../../src/store/journal-line.ts";
import { rebuildState } from "../../../src/store/rebuild-state.ts";
import { resealed } from "../../rig/resealed-journal.ts";
import { attemptPassed, attemptStarted, started } from "../../rig/run-events.ts";
import { append, journalOf, must, passingRun, stateDirectory, storeIn } from "../../rig/state-rig.ts";

/** A journal, and a reader of other bytes in its place that has not read it before. */
async function journal(close: boolean) {
  const stateDir = stateDirectory();
  const open = must(await storeIn(stateDir).openJournal("aa11"));
  await append(open, started({ a: [] }), attemptStarted("a"), attemptPassed("a"));
  const file = journalOf(stateDir, "aa11");
  const whole = readFileSync(file);
  must(await open.close());
  const bytes = close ? readFileSync(file) : whole;
  const read = async (changed: Uint8Array) => {
    writeFileSync(file, changed);
    return storeIn(stateDir).readEvents("aa11");
  };
  return { file, bytes, read };
}

const lines = (bytes: Buffer) =>
  bytes
    .toString("utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => `${line}\n`);
const damage = (file: string) => ({ ok: false, error: { reason: "state-damaged", path: file } });

describe("a closed journal", () => {
  test("with any byte changed is damaged, and its line is reported", async () => {
    const { file, bytes, read } = await journal(true);
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      const line = bytes.subarray(0, at).filter((byte) => byte === 10).length + 1;
      expect(await read(changed), `byte ${at}`).toMatchObject({ ok: false, error: { reason: "state-damaged", path: file, line } });
    }
  });

  test.each<[string, (all: string[]) => string[]]>([
    ["a line taken out", (all) => all.filter((_, index) => index !== 2)],
    ["two lines swapped", ([a = "", b = "", c = "", ...rest]) => [a, c, b, ...rest]],
    ["a line twice", ([a = "", b = "", ...rest]) => [a, b, b, ...rest]],
    ["an empty line", ([a = "", ...rest]) => [a, "\n", ...rest]],
    ["something after its end", (all) => [...all, "{"]],
    ["its beginning cut off", (all) => all.slice(1)],
  ])("with %s is damaged", async (_, change) => {
    const { file, bytes, read } = await journal(true);
    expect(await read(Buffer.from(change(lines(bytes)).join("")))).toMatchObject(damage(file));
  });

  test("under the name of another writer or run is damaged", async () => {
    const { file, bytes, read } = await journal(true);
    rmSync(file);
    const other = file.replace(/[^/\\]+$/, "other.jsonl");
    await read(bytes);
    renameSync(file, other);
    expect(await storeIn(file.replace(/.journals.*/, "")).readEvents("aa11")).toMatchObject({
      ok: false,
      error: { reason: "state-damaged", path: other, line: 1 },
    });
  });
});

describe("a journal that was not closed", () => {
  test("cut off at any byte is read up to its last whole line", async () => {
    const { bytes, read } = await journal(false);
    const whole = must(await read(bytes));
    for (let length = 1; length <= bytes.length; length++) {
      const kept = bytes.subarray(0, length).filter((byte) => byte === 10).length;
      const events = await read(bytes.subarray(0, length));
      expect(events.ok ? events.value : events.error.reason, `${length} bytes`).toEqual(
        kept === 0 ? "run-not-found" : whole.slice(0, kept),
      );
    }
  });

  test("with zeros in place of its last line is read up to the line before", async () => {
    const { bytes, read } = await journal(false);
    expect(must(await read(Buffer.concat([bytes, Buffer.alloc(100)])))).toHaveLength(4);
  });

  test("with a whole line changed is damaged", async () => {
    const { file, bytes, read } = await journal(false);
    const changed = Buffer.from(bytes.toString("latin1").replace('"durationMs":1200', '"durationMs":1201'), "latin1");
    expect(await read(changed)).toEqual({
      ok: false,
      error: { reason: "state-damaged", path: file, line: 4, detail: "its hash does not match its bytes" },
    });
  });
});

describe("the tables", () => {
  test("record the head of a journal, so that a removed tail is detected", async () => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    must(await storeIn(stateDir).listRuns());
    const file = journalOf(stateDir, "aa11");
    writeFileSync(file, lines(readFileSync(file)).slice(0, -2).join(""));
    expect(await storeIn(stateDir).listRuns()).toMatchObject(damage(file));
  });

  test("detect a chain that was forged from its first line, once it grows", async () => {
    const stateDir = stateDirectory();
    const open = must(await storeIn(stateDir).openJournal("aa11"));
    await append(open, started({ a: [] }), attemptStarted("a"));
    const store = storeIn(stateDir);
    must(await store.listRuns());
    await append(open, attemptPassed("a"));
    must(await open.close());
    const file = journalOf(stateDir, "aa11");
    writeFileSync(file, resealed(must(await storeIn(stateDir).readEvents("aa11"))));
    expect(must(await storeIn(stateDir).readEvents("aa11"))).toHaveLength(5);
    expect(await store.listRuns()).toMatchObject({ ok: false, error: { reason: "state-damaged", path: file, line: 3 } });
  });
});

describe("a journal of another format", () => {
  test.each([
    [1, "an earlier one"],
    [3, "a later one"],
  ])("(%d) is refused with its file, its format and a hint, and is not changed", async (format, wrote) => {
    const stateDir = stateDirectory();
    await passingRun(storeIn(stateDir), "aa11");
    const file = journalOf(stateDir, "aa11");
    const other = inFormat(format, must(await storeIn(stateDir).readEvents("aa11")));
    writeFileSync(file, other);
    for (const asked of [
      await storeIn(stateDir).readEvents("aa11"),
      await storeIn(stateDir).listRuns(),
      await rebuildState(stateDir, systemClock),
    ]) {
      const error = asked.ok ? undefined : asked.error;
      expect(error).toMatchObject({ reason: "state-unreadable", path: file });
      for (const part of [`format ${format}`, "only format 2", wrote, ".wave/state"])
        expect(error && "detail" in error ? error.detail : "").toContain(part);
    }
    expect(readFileSync(file, "utf8")).toBe(other);
  });
});

/** The journal in another format, with correct hashes. */
function inFormat(format: number, events: readonly WaveEvent[]): string {
  let prev = "0".repeat(64);
  return events
    .map(({ v: _v, run, writer, seq, clock, ts, prev: _prev, hash: _hash, ...payload }) => {
      const { event, line } = sealEvent({ v: format as 2, run, writer, seq, clock, ts, prev }, payload);
      prev = event.hash;
      return line;
    })
    .join("");
}
