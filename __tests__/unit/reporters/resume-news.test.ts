import { expect, test } from "vitest";
import { differingParts, partText } from "../../../src/reporters/console/part-text.ts";
import { projectChangedText, redefinedText } from "../../../src/reporters/console/render-resume-notices.ts";
import { digest } from "../../rig/plan-fixtures.ts";

test.each([
  ["task", "task"],
  ["base", "project files"],
  ["persona", "the persona's prompt"],
  ["input:notes", "input notes"],
  ["contract:shape", "contract shape"],
  ["gate-file:a/b.schema.json", "schema a/b.schema.json"],
  ["changes", "changes of steps before it"],
  ["toString", "toString"],
])("the part %s is called: %s", (part, words) => expect(partText(part)).toBe(words));

test("fingerprints differ in parts that are other, new or gone", () => {
  const of = (parts: Readonly<Record<string, string>>) => ({
    work: digest("work"),
    gate: digest("gate"),
    parts: Object.fromEntries(Object.entries(parts).map(([name, word]) => [name, digest(word)])),
  });
  expect(differingParts(of({ a: "1", b: "1", c: "1" }), of({ b: "2", c: "1", d: "1" }))).toEqual(["a", "b", "d"]);
});

test("a definition's changes are told step by step", () => {
  expect(redefinedText(undefined)).toBe("the manifest is as it was when the run began\n");
  expect(redefinedText([])).toBe("the manifest changed, but no step did\n");
  const changes = [
    { step: "a", kind: "changed", parts: ["task", "contract:shape"] },
    { step: "b", kind: "added", parts: [] },
    { step: "c\u001b", kind: "removed", parts: [] },
  ] as const;
  expect(redefinedText(changes)).toBe(
    "since the run began:\n  ~ a changed: task, contract shape\n  + b is new\n  - c\\x1b is no longer there\n",
  );
});

test("a project that is another one is told in one line, with at most five steps", () => {
  const lead = "warning: the project is not as it was when run 3f9a began:";
  expect(projectChangedText("3f9a", [])).toBe(`${lead} no step of it reads what changed; steps see it as it is now\n`);
  expect(projectChangedText("3f9a", ["a", "b", "c", "d", "e", "f", "g"])).toBe(
    `${lead} files changed that a, b, c, d, e and 2 more may read; steps see it as it is now\n`,
  );
});
