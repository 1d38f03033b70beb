/**
 * Claude Code itself, on a mock model on loopback: one pipeline with files really changed, and the bad days of a model. The program is installed by
 * wave, from npm, into its cache; the first run of this file downloads it.
 */
import path from "node:path";
import { expect, test } from "vitest";
import { project } from "../rig/project.ts";
import { type AgentUnderTest, agentRig, onePipeline, usage } from "./agent-rig.ts";

const call = (name: string, input: object) => [{ name, arguments: JSON.stringify(input) }];
const claude: AgentUnderTest = {
  ...{ name: "claude", key: "ANTHROPIC_API_KEY", model: "claude-sonnet-4-5", base: "", endpoint: "/v1/messages" },
  shell: (command) => call("Bash", { command }),
};
const rig = agentRig(claude);
const { manifest, run } = rig;

test("one pipeline: analyze, implement, test; what fails first is tried again with what was wrong; every token is counted", async () => {
  const used = await onePipeline(rig, claude);
  for (const one of used) expect(one?.costUsd).toBeGreaterThan(0);
});

test("a write that the step may not do is refused, and counted", async () => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({
    "wave.yaml": manifest(
      `    - { id: look, persona: navigator, task: Write, permissions: { allow: ["file_write:src/**"], deny: ["network_access:*"] } }\n`,
    ),
  });
  rig
    .mock()
    .on(
      { hasToolResult: false },
      { toolCalls: call("Write", { file_path: path.join(wave.root, "b.txt"), content: "x" }), usage: usage(10, 1) },
    );
  rig.mock().on({ hasToolResult: true }, { content: "I could not.", usage: usage(20, 1) });
  expect((await run(wave)).code).toBe(1);
  const failed = wave.events().find(({ type }) => type === "attempt-failed");
  expect(failed).toMatchObject({
    failure: { reason: "empty-output", detail: "its only tool call (Write b.txt) was denied by `file_write:**`" },
    usage: { toolCalls: 1, denials: 1 },
  });
});

test("a model that never stops calling tools is stopped at the step's turns", async () => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({
    "wave.yaml": manifest(
      `    - { id: look, persona: navigator, task: Look, resources: { max_turns: 3 }, permissions: { deny: ["network_access:*"] } }\n`,
    ),
  });
  rig.mock().on({}, { toolCalls: call("Read", { file_path: path.join(wave.root, "a.txt") }), usage: usage(10, 1) });
  expect((await run(wave)).code).toBe(1);
  expect(wave.events().find(({ type }) => type === "attempt-failed")).toMatchObject({
    failure: { reason: "budget-exceeded", what: "turns", limit: 3 },
  });
});

test.each([
  [401, "authentication_error", "auth", 1],
  [429, "rate_limit_error", "rate-limit", 5],
  [500, "api_error", "network", 2],
  [529, "overloaded_error", "rate-limit", 5],
] as const)("HTTP %d from the model is %s: a failure of kind %s, after %d attempts", async (status, type, kind, attempts) => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({
    "wave.yaml": manifest(`    - { id: look, persona: navigator, task: Look, permissions: { deny: ["network_access:*"] } }\n`),
  });
  rig.mock().on({}, { error: { message: "no", type }, status });
  expect((await run(wave)).code).toBe(1);
  expect(wave.events().filter((event) => event.type === "attempt-started")).toHaveLength(attempts);
  expect(wave.events().find((event) => event.type === "attempt-failed")).toMatchObject({
    failure: { reason: "agent-failed", kind, status },
  });
});

test("a model that cannot be reached", async () => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({ "wave.yaml": manifest(`    - { id: look, persona: navigator, task: Look }\n`) });
  await rig.mock().stop();
  expect((await run(wave)).code).toBe(1);
  expect(wave.events().find((event) => event.type === "attempt-failed")).toMatchObject({
    failure: { reason: "agent-failed", kind: "network" },
  });
  await rig.mock().start();
});
