import { expect, test } from "vitest";
import { differingParts, partText } from "../../../src/reporters/console/part-text.ts";
import { manifestChangedText, projectChangedText, redefinedText } from "../../../src/reporters/console/render-resume-notices.ts";
import { digest } from "../../rig/plan-fixtures.ts";

test.each([
  ["task", "task"],
  ["base", "project files"],
  ["persona", "the persona's prompt"],
  ["input:notes", "input notes"],
  ["contract:shape", "contract shape"],
  ["gate-file:a/b.schema.json", "schema a/b.schema.json"],
  ["changes", "changes of upstream steps"],
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

test("a changed manifest is reported on one line, with the command that uses it", () => {
  expect(manifestChangedText("3f9a", ["a.yaml", "b.yaml"])).toBe(
    "warning: the manifest changed since run 3f9a started (a.yaml, b.yaml); the run uses its own copy. To use the new one: wave resume --update 3f9a\n",
  );
});

test("the changes of a definition are listed step by step", () => {
  expect(redefinedText(undefined)).toBe("the manifest has not changed since the run started\n");
  expect(redefinedText([])).toBe("the manifest changed, but none of its steps did\n");
  const changes = [
    { step: "a", kind: "changed", parts: ["task", "contract:shape"] },
    { step: "b", kind: "added", parts: [] },
    { step: "c\u001b", kind: "removed", parts: [] },
  ] as const;
  expect(redefinedText(changes)).toBe(
    "changes since the run started:\n  ~ a changed: task, contract shape\n  + b is new\n  - c\\x1b was removed\n",
  );
});

test("a changed project is reported on one line, with at most five steps", () => {
  const lead = "warning: project files changed since run 3f9a started, and steps see the new ones;";
  expect(projectChangedText("3f9a", [])).toBe(`${lead} no step of the run reads them\n`);
  expect(projectChangedText("3f9a", ["a", "b", "c", "d", "e", "f", "g"])).toBe(
    `${lead} steps that may read them: a, b, c, d, e and 2 more\n`,
  );
});
