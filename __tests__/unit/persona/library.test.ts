import { expect, test } from "vitest";
import { parsePermission } from "../../../src/model/permissions.ts";
import { personaLibrary } from "../../../src/persona/library.ts";

test("the nine personas are there, each with a description, a prompt of its own, and rules that hold everywhere", () => {
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
    expect(permissions?.allow?.map((rule) => parsePermission(rule)?.capability)).toContain("file_read");
    expect([permissions?.deny, rest]).toEqual([undefined, {}]);
  }
});
