import { expect, test } from "vitest";
import { retryAfterIn, retryAfterOf } from "../../../src/text/retry-after.ts";

const now = Date.parse("2026-01-01T00:00:00Z");

test.each([
  [{ "retry-after": "20" }, 20_000],
  [{ "retry-after": "1.5" }, 1500],
  [{ "retry-after-ms": "250", "retry-after": "20" }, 250],
  [{ "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }, 30_000],
  [{ "retry-after": "Wed, 31 Dec 2025 00:00:00 GMT" }, 0],
  [{ "retry-after": "soon" }, undefined],
  [{ "retry-after": "-5" }, undefined],
  [{}, undefined],
])("reads headers %j as %s ms", (headers, expected) => {
  expect(retryAfterOf(headers, now)).toBe(expected);
});

test.each([
  ["Rate limit reached for gpt. Please try again in 1.5s. Visit …", 1500],
  ["retry after 20 seconds", 20_000],
  ["Retrying in 250ms", 250],
  ["try again in 2 minutes", 120_000],
  ["try again later", undefined],
  ["try again in 3 years", undefined],
])("reads message %j as %s ms", (message, expected) => {
  expect(retryAfterIn(message)).toBe(expected);
});
