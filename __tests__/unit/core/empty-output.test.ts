import { describe, expect, test } from "vitest";
import { type AttemptOutput, emptyOutputReason, isUnchecked } from "../../../src/core/empty-output.ts";
import type { Step } from "../../../src/core/pipeline.ts";
import { step } from "../../rig/plan-fixtures.ts";

const agent = (members: Partial<Step> = {}) => step("a", { adapter: { name: "claude", chosenBy: "step" }, ...members });
const output = (members: Partial<AttemptOutput> = {}): AttemptOutput => ({
  changed: false,
  artifacts: [],
  finalMessage: "Done.",
  ...members,
});

describe("a question instead of work", () => {
  test.each(["Which file do you mean?", "I can do that. **Shall I continue?**", "どのファイルですか？", "Should I use tabs or spaces? \n"])(
    "is found in %j",
    (finalMessage) => {
      expect(emptyOutputReason(agent(), output({ finalMessage }))).toContain("asked a question");
    },
  );

  test.each([
    ["an answer", output({ finalMessage: "The answer is 42." })],
    ["a question beside changed files", output({ changed: true, finalMessage: "Done. Anything else?" })],
    ["a question beside a written artifact", output({ artifacts: [{ source: "output/report.md" }], finalMessage: "Done. More?" })],
    ["a long report that ends with an offer", output({ finalMessage: `${"A finding. ".repeat(60)}Shall I fix these?` })],
    ["JSON with a question in it", output({ finalMessage: '["why?"' })],
    ["a message without an answer", output({ finalMessage: undefined })],
  ])("is not %s", (_name, given) => {
    expect(emptyOutputReason(agent(), given)).toBeUndefined();
  });

  test("counts even if the message became the artifact", () => {
    const given = output({ artifacts: [{ source: "message" }], finalMessage: "Which branch?" });
    expect(emptyOutputReason(agent(), given)).toContain('"Which branch?"');
  });

  test("is no failure of a program, whose output is a log", () => {
    const program = step("a", { adapter: { name: "command", chosenBy: "step" } });
    expect(emptyOutputReason(program, output({ finalMessage: "Really?" }))).toBeUndefined();
  });
});

describe("`changes: required`", () => {
  test.each([
    [false, "required", true],
    [true, "required", false],
    [undefined, "required", false],
    [false, "optional", false],
  ] as const)("with a changeset %s and %s fails: %s", (changed, changes, fails) => {
    expect(emptyOutputReason(agent({ changes }), output({ changed })) !== undefined).toBe(fails);
  });
});

test("a step is unchecked only if an agent executes it and neither an artifact nor a contract is declared", () => {
  const artifacts = [{ name: "x", optional: false, implied: false }];
  expect(
    [agent(), agent({ artifacts }), step("a", { adapter: { name: "command", chosenBy: "step" } }), step("a")].map(isUnchecked),
  ).toEqual([true, false, false, false]);
});
