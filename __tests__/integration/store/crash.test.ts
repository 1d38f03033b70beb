import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { localBlobs } from "../../../src/blobs/local-blobs.ts";
import { bundledChild, type Fixture } from "../../rig/bundled-child.ts";
import { started } from "../../rig/run-events.ts";
import { append, hasDatabase, must, stateDirectory, storeIn } from "../../rig/state-rig.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await bundledChild(new URL("../../rig/state-child.ts", import.meta.url));
});
afterAll(() => fixture.close());

/** A seeded generator of delays, so that a failing round can be repeated. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("a writer that is killed", () => {
  test("at any time has lost no event that was confirmed", async () => {
    const random = seeded(99);
    for (let round = 0; round < 25; round++) {
      const stateDir = stateDirectory();
      const { child, untilLines, ended } = fixture.start([stateDir, "aa11", "append"]);
      await untilLines(1 + Math.floor(random() * 120));
      child.kill("SIGKILL");
      const { lines } = await ended;
      const store = storeIn(stateDir);
      const stored = new Set(must(await store.readEvents("aa11")).map((event) => `${event.writer}:${event.seq}`));
      expect(lines.filter((id) => !stored.has(id))).toEqual([]);
      const run = must(await store.findRun("aa11"));
      expect(run).toMatchObject({ status: "interrupted", writer: { pid: child.pid } });
      expect(run.steps.flatMap((step) => step.attempts).filter((attempt) => attempt.status === "running")).toEqual([]);
      expect(must(await store.listRuns())).toMatchObject([{ id: "aa11", status: "interrupted" }]);
      const journal = must(await store.openJournal("aa11"));
      await append(journal, { type: "run-resumed", concurrency: 1, onFailure: "finish" });
      expect(must(await store.findRun("aa11")).status).toBe("running");
      must(await journal.close());
    }
  });

  test("blocks other writers while it is alive, and no longer once it is dead", async () => {
    const stateDir = stateDirectory();
    const { child, untilLines, ended } = fixture.start([stateDir, "aa11", "hold"]);
    await untilLines(1);
    expect(await storeIn(stateDir).openJournal("aa11")).toMatchObject({ ok: false, error: { reason: "run-active", pid: child.pid } });
    const second = await fixture.start([stateDir, "aa11", "hold"]).ended;
    expect(JSON.parse(second.lines[0] ?? "")).toMatchObject({ reason: "run-active", pid: child.pid });
    child.kill("SIGKILL");
    await ended;
    must(await must(await storeIn(stateDir).openJournal("aa11")).close());
  });

  test("is detected as dead by a store that saw it alive, without new lines in its journal", async () => {
    const stateDir = stateDirectory();
    const { child, untilLines, ended } = fixture.start([stateDir, "aa11", "append"]);
    await untilLines(3);
    const store = storeIn(stateDir);
    expect(must(await store.listRuns())).toMatchObject([{ status: "running" }]);
    expect(hasDatabase(stateDir)).toBe(false);
    child.kill("SIGKILL");
    await ended;
    expect(must(await store.listRuns())).toMatchObject([{ status: "interrupted" }]);
    expect(must(await storeIn(stateDir).listRuns())).toMatchObject([{ status: "interrupted" }]);
    expect(hasDatabase(stateDir)).toBe(true);
  });
});

/** The failures that a blocked writer reports; its journal must contain exactly the events that were confirmed. */
async function expectPoisoned(stateDir: string, lines: readonly string[], code: string): Promise<void> {
  const reported = lines.filter((line) => !line.startsWith("{"));
  const failures = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as unknown);
  const failure = { ok: false, error: { reason: "state-unwritable", code } };
  expect(failures).toMatchObject([failure, failure, failure]);
  const events = must(await storeIn(stateDir).readEvents("aa11"));
  const stored = events.map((event) => `${event.writer}:${event.seq}`);
  expect(reported.filter((id) => !stored.includes(id))).toEqual([]);
  expect(reported.length).toBeGreaterThan(10);
  expect(must(await storeIn(stateDir).findRun("aa11")).status).toBe("interrupted");
}

describe.runIf(process.platform !== "win32")("a file that may not grow", () => {
  test("fails the journal with its errno, and every later call with the same failure", async () => {
    const stateDir = stateDirectory();
    const { lines, stderr } = await fixture.start([stateDir, "aa11", "fill"], "ulimit -f 24").ended;
    expect(stderr).toBe("");
    await expectPoisoned(stateDir, lines, "EFBIG");
  });
});

const mounted = mkdtempSync(path.join(tmpdir(), "wave-full-"));
const canMount = mount();
afterAll(() => {
  if (canMount) execFileSync("sh", ["-c", 'umount "$0"', mounted]);
  rmdirSync(mounted);
});

function mount(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    execFileSync("sh", ["-c", 'mount -t tmpfs -o size=64k tmpfs "$0"', mounted], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.runIf(canMount)("a full disk", () => {
  test("fails the journal and blobs with ENOSPC, and state stays readable", async () => {
    const stateDir = path.join(mounted, "state");
    const { lines, stderr } = await fixture.start([stateDir, "aa11", "fill"]).ended;
    expect(stderr).toBe("");
    await expectPoisoned(stateDir, lines, "ENOSPC");
    expect(must(await storeIn(stateDir).listRuns())).toMatchObject([{ id: "aa11", status: "interrupted" }]);
    expect(existsSync(path.join(stateDir, "wave.db"))).toBe(false);
    const blob = await localBlobs(stateDir).put(Buffer.alloc(200_000, "x"));
    expect(blob).toMatchObject({ ok: false, error: { reason: "state-unwritable", code: "ENOSPC" } });
    const opened = await storeIn(stateDir).openJournal("bb22");
    const outcome = opened.ok ? await opened.value.append([started({ a: [] })]) : opened;
    expect(outcome).toMatchObject({ ok: false, error: { reason: "state-unwritable", code: "ENOSPC" } });
    if (opened.ok) expect((await opened.value.close()).ok).toBe(false);
  });
});
