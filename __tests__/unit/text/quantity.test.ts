import { describe, expect, it } from "vitest";
import { counted, formatDuration, formatSize, parseDuration, parseSize } from "../../../src/text/quantity.ts";
import fc from "../../rig/property.ts";

describe("durations", () => {
  it.each([
    ["90s", 90_000],
    ["10m", 600_000],
    ["1h30m", 5_400_000],
    ["250ms", 250],
    ["1.5s", 1500],
    ["1m500ms", 60_500],
    ["0s", 0],
  ])("parses %s", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(["", "10", "10 m", "m", "-1s", "1d", "1s ", "1e3s", "1s2"])("refuses %j", (text) => expect(parseDuration(text)).toBeUndefined());

  it.each([
    [0, "0ms"],
    [850, "850ms"],
    [999.6, "1s"],
    [1449, "1.4s"],
    [9960, "10s"],
    [90_000, "1m30s"],
    [59_999, "1m"],
    [600_000, "10m"],
    [3_599_900, "1h"],
    [5_400_000, "1h30m"],
    [1_800_000, "30m"],
  ])("formats %d ms as %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

  it("writes what it can read again, within two digits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (ms) => {
        const read = parseDuration(formatDuration(ms)) ?? Number.NaN;
        expect(Math.abs(read - ms)).toBeLessThanOrEqual(Math.max(1, ms * 0.05));
      }),
    );
  });
});

describe("sizes", () => {
  it.each([
    ["512MB", 512_000_000],
    ["2GB", 2_000_000_000],
    ["1GiB", 1_073_741_824],
    ["1.5 KB", 1500],
    ["7B", 7],
  ])("parses %s", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(["", "5", "5mb", "MB", "1 GB ", "1  GB", "-1B"])("refuses %j", (text) => expect(parseSize(text)).toBeUndefined());

  it.each([
    [0, "0B"],
    [512, "512B"],
    [1500, "1.5KB"],
    [999_960, "1MB"],
    [2_000_000_000, "2GB"],
    [1_073_741_824, "1GiB"],
    [123_456_789, "123MB"],
  ])("formats %d bytes as %s", (bytes, text) => expect(formatSize(bytes)).toBe(text));

  it("writes what it can read again, within two digits", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        const read = parseSize(formatSize(bytes)) ?? Number.NaN;
        expect(Math.abs(read - bytes)).toBeLessThanOrEqual(bytes * 0.05);
      }),
    );
  });
});

it.each([
  [0, "0 turns"],
  [1, "1 turn"],
  [999, "999 turns"],
  [1000, "1,000 turns"],
  [1234567, "1,234,567 turns"],
  [-1234.5678, "-1,234.568 turns"],
  [0.25, "0.25 turns"],
])("counts %d as `%s`, as the locale en-US does", (amount, text) => {
  expect(counted(amount, "turn")).toBe(text);
  expect(text).toBe(`${amount.toLocaleString("en-US")} ${amount === 1 ? "turn" : "turns"}`);
});
