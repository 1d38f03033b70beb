/** Outputs of the Action that would be too long. */
import { expect, test } from "vitest";
import { outputText } from "../../../src/action/job-outputs.ts";

test("an output that fits has all entries", () => {
  expect(outputText([["a", 1]])).toEqual({ text: '{"a":1}', omitted: 0 });
});

test("an output that does not fit has the first entries and the number of the others", () => {
  const entries = Array.from({ length: 6000 }, (_, at) => [`name-${at}`, "x".repeat(90)] as const);
  const { text, omitted } = outputText(entries);
  const shown = JSON.parse(text) as Record<string, unknown>;
  expect(text.length).toBeLessThanOrEqual(500_000);
  expect(text.length).toBeGreaterThan(480_000);
  expect(shown["/omitted"]).toBe(omitted);
  expect(Object.keys(shown).length - 1 + omitted).toBe(6000);
});
