/** Limits the length of the Action's outputs. */
import { expect, test } from "vitest";
import { outputText } from "../../../src/action/job-outputs.ts";

test("keeps all entries of an output that fits", () => {
  expect(outputText([["a", 1]])).toEqual({ text: '{"a":1}', omitted: 0 });
});

test("keeps the first entries of an output that does not fit, and counts the others", () => {
  const entries = Array.from({ length: 6000 }, (_, at) => [`name-${at}`, "x".repeat(90)] as const);
  const { text, omitted } = outputText(entries);
  const shown = JSON.parse(text) as Record<string, unknown>;
  expect(text.length).toBeLessThanOrEqual(500_000);
  expect(text.length).toBeGreaterThan(480_000);
  expect(shown["/omitted"]).toBe(omitted);
  expect(Object.keys(shown).length - 1 + omitted).toBe(6000);
});
