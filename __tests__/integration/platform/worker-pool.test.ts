/** The worker pool with real threads: limits, cancellation, and calls after a thread ended. */
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WorkerPool } from "../../../src/platform/worker-pool.ts";
import { bundledChild, type Fixture } from "../../rig/bundled-child.ts";

let fixture: Fixture;
const open: WorkerPool[] = [];

beforeAll(async () => {
  fixture = await bundledChild(new URL("../../rig/pool-thread.ts", import.meta.url));
});
afterEach(() => {
  for (const pool of open.splice(0)) pool.close();
});
afterAll(() => fixture.close());

function pool(timeMs = 20_000, memoryBytes = 1e9): WorkerPool {
  const opened = new WorkerPool({ script: pathToFileURL(fixture.file), timeMs, memoryBytes });
  open.push(opened);
  return opened;
}

describe("answers", () => {
  test("are copies of what the call returns", async () => {
    const value = { text: "é\u0000", bytes: new Uint8Array([1, 2]), map: new Map([["a", [null, 1n]]]) };
    expect(await pool().call("echo", value)).toEqual({ ok: true, value });
  });

  test("come in the order of the calls, from one thread", async () => {
    const counted = pool();
    const answers = await Promise.all(Array.from({ length: 5 }, () => counted.call("count", null)));
    expect(answers).toEqual([1, 2, 3, 4, 5].map((value) => ({ ok: true, value })));
  });

  test("can use a shared value, which is sent once to each thread", async () => {
    const used = pool();
    const shared = {};
    expect(await used.call("same", null, { shared })).toEqual({ ok: true, value: 1 });
    expect(await used.call("same", null, { shared })).toEqual({ ok: true, value: 2 });
    expect(await used.call("size", null, { shared: new Map([["a", "b"]]) })).toEqual({ ok: true, value: 1 });
    await used.call("exit", null);
    expect(await used.call("same", null, { shared })).toEqual({ ok: true, value: 1 });
  });

  test("do not depend on the environment of the process", async () => {
    expect(await pool().call("environment", null)).toEqual({ ok: true, value: {} });
  });
});

describe("a call", () => {
  test.each([["spin"], ["backtrack"]])("that never ends is stopped at its time limit: %s", async (call) => {
    const limited = pool(300);
    expect(await limited.call(call, null)).toEqual({ ok: false, error: { kind: "exceeded", what: "time" } });
    expect(await limited.call("echo", "next")).toEqual({ ok: true, value: "next" });
  });

  test.each([["heap"], ["buffers"]])("that fills memory is stopped at its memory limit: %s", async (call) => {
    const limited = pool(20_000, 200e6);
    expect(await limited.call(call, null)).toEqual({ ok: false, error: { kind: "exceeded", what: "memory" } });
    expect(await limited.call("echo", "next")).toEqual({ ok: true, value: "next" });
  });

  test.each([
    ["throws", "thrown on purpose"],
    ["no-such-call", "unknown call no-such-call"],
    ["exit", "the evaluation thread exited with code 3"],
    ["crash", "the evaluation thread failed: crashed on purpose"],
  ])("that fails reports the cause: %s", async (call, detail) => {
    const used = pool();
    expect(await used.call(call, null)).toEqual({ ok: false, error: { kind: "broken", detail } });
    expect(await used.call("echo", "next")).toEqual({ ok: true, value: "next" });
  });

  test("does not block this thread", async () => {
    const limited = pool(500);
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 10);
    await limited.call("spin", null);
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(10);
  });

  test("waits for the calls before it without losing its own time", async () => {
    const limited = pool(400);
    const answers = await Promise.all([limited.call("spin", null), limited.call("spin", null), limited.call("echo", 1)]);
    expect(answers.map(({ ok }) => ok)).toEqual([false, false, true]);
  });
});

describe("cancellation", () => {
  test("stops the running call and keeps the others", async () => {
    const used = pool();
    const controller = new AbortController();
    const running = used.call("spin", null, { signal: controller.signal });
    const waiting = used.call("echo", 1);
    controller.abort();
    expect([await running, await waiting]).toEqual([
      { ok: false, error: { kind: "cancelled" } },
      { ok: true, value: 1 },
    ]);
  });

  test("removes a waiting call", async () => {
    const used = pool();
    const controller = new AbortController();
    const first = used.call("count", null);
    const waiting = used.call("count", null, { signal: controller.signal });
    controller.abort();
    expect([await first, await waiting, await used.call("count", null)]).toEqual([
      { ok: true, value: 1 },
      { ok: false, error: { kind: "cancelled" } },
      { ok: true, value: 2 },
    ]);
  });

  test("before a call starts no thread", async () => {
    expect(await pool().call("echo", 1, { signal: AbortSignal.abort() })).toEqual({ ok: false, error: { kind: "cancelled" } });
  });

  test("by closing ends every call", async () => {
    const used = pool();
    const calls = [used.call("spin", null), used.call("echo", 1)];
    used.close();
    expect(await Promise.all(calls)).toEqual([0, 1].map(() => ({ ok: false, error: { kind: "cancelled" } })));
  });
});

test("a call fails if the script does not exist", async () => {
  const missing = new WorkerPool({ script: pathToFileURL(`${fixture.file}.none`), timeMs: 1000, memoryBytes: 1e9 });
  open.push(missing);
  const answer = await missing.call("echo", 1);
  expect(answer).toMatchObject({ ok: false, error: { kind: "broken", detail: expect.stringContaining("Cannot find module") } });
});

test.each([
  ["warmed", []],
  ["called", ['{"ok":true,"value":1}']],
  ["stopped", ['{"ok":false,"error":{"kind":"exceeded","what":"time"}}']],
])("a process ends although its thread was %s", async (way, answers) => {
  const child = await bundledChild(new URL("../../rig/pool-process.ts", import.meta.url));
  try {
    const { child: started, ended } = child.start([fixture.file, way]);
    expect((await ended).lines).toEqual([...answers, "done"]);
    expect(started.exitCode).toBe(0);
  } finally {
    child.close();
  }
});
