/** The machine's clock. */
import { expect, test } from "vitest";
import { systemClock } from "../../../src/platform/clock.ts";

test("a sleep lasts for its duration on a clock that never goes back", async () => {
  const began = systemClock.monotonic();
  await systemClock.sleep(20);
  const slept = systemClock.monotonic() - began;
  // Timers fire up to a millisecond early.
  expect(slept).toBeGreaterThanOrEqual(19);
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
});

test("a sleep ends with its signal, even if that was aborted before or the sleep exceeds a timer's limit", async () => {
  const controller = new AbortController();
  const long = systemClock.sleep(1e12, controller.signal);
  controller.abort();
  await long;
  await systemClock.sleep(1e12, controller.signal);
  expect(controller.signal.aborted).toBe(true);
});
