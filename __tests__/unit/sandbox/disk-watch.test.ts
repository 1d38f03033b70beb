import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withinDisk } from "../../../src/sandbox/disk-watch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const limit = { directories: ["/nowhere"], bytes: 1 };
const signal = new AbortController().signal;

test("the watch ends with the work, even if the work throws", async () => {
  const broken = withinDisk(limit, signal, async () => {
    expect(vi.getTimerCount()).toBe(1);
    throw new Error("a bug");
  });
  await expect(broken).rejects.toThrow("a bug");
  expect(vi.getTimerCount()).toBe(0);
  const done = withinDisk(limit, signal, async () => ({ kind: "exited", code: 0 }));
  await expect(done).resolves.toEqual({ kind: "exited", code: 0 });
  expect(vi.getTimerCount()).toBe(0);
});

test("nothing is watched without a limit, or if the size at the start is unknown", async () => {
  for (const none of [undefined, { ...limit, before: Number.POSITIVE_INFINITY }]) {
    await withinDisk(none, signal, async (given) => {
      expect(given).toBe(signal);
      expect(vi.getTimerCount()).toBe(0);
      return { kind: "exited", code: 0 };
    });
  }
});
