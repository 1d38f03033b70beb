import { describe, expect, test } from "vitest";
import { windowOf } from "../../../src/store/breaker-samples.ts";

const at = (second: number) => new Date(Date.parse("2026-01-31T12:00:00.000Z") + second * 1000).toISOString();
const sample = (run: string, second: number, clock: number, failed = false) => ({ breaker: "k", run, at: at(second), clock, failed });
const reset = (run: string, second: number, clock: number) => ({ breaker: "k", run, at: at(second), clock });

describe("a breaker's window", () => {
  test("contains the newest samples of all runs, newest first", () => {
    const samples = [sample("a", 1, 5), sample("b", 3, 2, true), sample("a", 2, 6, true)];
    expect(windowOf(samples, [], 2)).toEqual([
      { failed: true, at: at(3) },
      { failed: true, at: at(2) },
    ]);
  });

  test("orders samples of one run by its clock, since the time of day may jump", () => {
    const samples = [sample("a", 9, 5), sample("a", 1, 6, true)];
    expect(windowOf(samples, [], 9).map(({ failed }) => failed)).toEqual([true, false]);
  });

  test("starts after the last reset", () => {
    const samples = [sample("a", 1, 1), sample("b", 5, 1, true), sample("c", 9, 1)];
    expect(windowOf(samples, [reset("b", 3, 1), reset("b", 5, 2)], 9)).toEqual([{ failed: false, at: at(9) }]);
  });

  test("includes samples of the same millisecond that follow the reset of the same run", () => {
    expect(windowOf([sample("a", 1, 3), sample("a", 1, 1)], [reset("a", 1, 2)], 9)).toHaveLength(1);
  });
});
