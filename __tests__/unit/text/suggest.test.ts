import { expect, it } from "vitest";
import { closest } from "../../../src/text/suggest.ts";

it.each([
  ["retri", ["halt", "retry", "warn"], "retry"],
  ["Persona", ["persona"], "persona"],
  ["depenencies", ["dependencies", "description"], "dependencies"],
  ["tsak", ["task", "tack"], "task"],
  ["x", ["y"], undefined],
  ["unrelated", ["task", "persona"], undefined],
  ["", ["a"], undefined],
  ["abc", [], undefined],
  ["if", ["id", "in"], undefined],
  ["di", ["id"], "id"],
  ["ID", ["id"], "id"],
  ["v3", ["v1", "v2"], undefined],
  ["step-b", ["step-a", "step-c"], "step-a"],
])("for %j among %j suggests %j", (word, candidates, meant) => expect(closest(word, candidates)).toBe(meant));

it("does not compare words of more than 100 characters", () => {
  expect(closest("a".repeat(1_000_000), ["a".repeat(1_000_000)])).toBeUndefined();
});
