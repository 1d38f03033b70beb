import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StateStore } from "../../../src/core/ports.ts";
import { err, ok } from "../../../src/core/result.ts";
import type { RunRecord } from "../../../src/core/state.ts";
import { cancelRun } from "../../../src/engine/cancel-run.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { isAlive, type ProcessIdentity, processIdentity, signalProcess } from "../../../src/platform/process-identity.ts";
import { bundledChild, type Fixture } from "../../rig/bundled-child.ts";
import { runRecord } from "../../rig/run-events.ts";
import { must, stateDirectory, storeIn } from "../../rig/state-rig.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await bundledChild(new URL("../../rig/identity-child.ts", import.meta.url));
});
afterAll(() => fixture.close());

/** A process that does nothing, with its identity. */
async function stranger() {
  const { child, untilLines, lines, ended } = fixture.start([]);
  await untilLines(1);
  return { child, ended, identity: JSON.parse(lines()[0] ?? "") as ProcessIdentity };
}

/** State with one run. */
const stateOf = (record: RunRecord): StateStore => ({ ...storeIn("/nowhere"), findRun: async () => ok(record) });

/** State with one run whose lock names `holder`. */
function heldState(writer: ProcessIdentity, holder: ProcessIdentity) {
  const stateDir = stateDirectory();
  return { stateDir, state: stateOf(runRecord({ status: "running", writer })), lock: () => lockFor(stateDir, holder) };
}

async function lockFor(stateDir: string, holder: ProcessIdentity): Promise<void> {
  const journal = must(await storeIn(stateDir).openJournal("other"));
  must(await journal.close());
  writeFileSync(path.join(stateDir, "locks/run-3f9a"), JSON.stringify(holder));
}

describe("a process", () => {
  test("is signalled if its identity matches the run's writer", async () => {
    const { identity, ended } = await stranger();
    for (const other of [
      { ...identity, processStart: "other" },
      { ...identity, processStart: "" },
      { ...identity, host: "elsewhere" },
    ])
      expect(signalProcess(other, "SIGTERM")).toBe(false);
    expect(isAlive(identity)).toBe(true);
    expect(signalProcess(identity, "SIGTERM")).toBe(true);
    await ended;
    expect(signalProcess(identity, "SIGTERM")).toBe(false);
  });
});

describe("cancelling", () => {
  test("never signals another process that has the same id now", async () => {
    const { child, identity } = await stranger();
    const { state, stateDir, lock } = heldState({ ...identity, processStart: "other" }, processIdentity());
    await lock();
    const cancelled = await cancelRun({ state, stateDir }, "3f9a", systemClock);
    expect(cancelled).toEqual(err({ reason: "run-active", run: "3f9a", pid: child.pid, host: identity.host }));
    expect(isAlive(identity)).toBe(true);
  });

  test("names the host if the process is on another one", async () => {
    const { state, stateDir } = heldState({ ...processIdentity(), host: "elsewhere" }, processIdentity());
    expect(await cancelRun({ state, stateDir }, "3f9a", systemClock)).toEqual(
      err({ reason: "run-active", run: "3f9a", pid: process.pid, host: "elsewhere" }),
    );
  });

  test("fails if the process does not end within ten seconds", async () => {
    const { identity } = await stranger();
    const { state, stateDir, lock } = heldState(identity, processIdentity());
    await lock();
    let now = 0;
    const sleep = async (ms: number) => {
      now += ms;
    };
    const hurried = { ...systemClock, monotonic: () => now, sleep };
    expect(await cancelRun({ state, stateDir }, "3f9a", hurried)).toMatchObject({ ok: false, error: { reason: "run-active" } });
    expect(now).toBe(10_000);
  });

  test.each(["passed", "failed", "cancelled", "interrupted"] as const)("refuses a run that %s", async (status) => {
    const state = stateOf(runRecord({ status }));
    const refused = await cancelRun({ state, stateDir: stateDirectory() }, "3f9a", systemClock);
    expect(refused).toMatchObject({ ok: false, error: { reason: "usage", message: expect.stringContaining("not active") } });
  });

  test("reports a process that died without ending the run", async () => {
    const holder = await bundledChild(new URL("../../rig/state-child.ts", import.meta.url));
    const stateDir = stateDirectory();
    const { untilLines } = holder.start([stateDir, "aa11", "append"]);
    await untilLines(3);
    const cancelled = await cancelRun({ state: storeIn(stateDir), stateDir }, "aa11", systemClock);
    expect(cancelled).toMatchObject({ ok: false, error: { reason: "usage", message: expect.stringContaining("its process died") } });
    holder.close();
  });
});
