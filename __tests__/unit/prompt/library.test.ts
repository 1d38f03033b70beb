import { expect, test } from "vitest";
import { personaLibrary } from "../../../src/prompt/library.ts";

test("the nine personas each have a description and a prompt, restrict no reading, and set neither adapter nor model", () => {
  expect([...personaLibrary.keys()].sort()).toEqual([
    "auditor",
    "craftsman",
    "debugger",
    "documenter",
    "navigator",
    "planner",
    "reviewer",
    "summarizer",
    "tester",
  ]);
  const personas = [...personaLibrary.values()];
  expect(new Set(personas.map((persona) => persona.system_prompt)).size).toBe(9);
  for (const { description, system_prompt, permissions, ...rest } of personas) {
    expect(description).toMatch(/\.$/);
    expect(system_prompt?.length).toBeGreaterThan(300);
    // A `file_read` rule would hide `.git`.
    expect((permissions?.allow ?? []).filter((rule) => rule.startsWith("file_read:"))).toEqual([]);
    expect(rest).toEqual({});
  }
});

test("exactly the personas described as changing nothing deny all writes", () => {
  const readOnly = [...personaLibrary].filter(([, { description }]) => description?.includes("Changes nothing"));
  const denying = [...personaLibrary].filter(([, { permissions }]) => permissions?.deny?.includes("file_write:**"));
  expect(denying.map(([name]) => name)).toEqual(["navigator", "reviewer", "auditor", "planner", "summarizer"]);
  expect(readOnly).toEqual(denying);
});
