/** Codex itself, on a mock model on loopback. The program is installed by wave, from npm, into its cache; the first run of this file downloads it. */
import { expect, test } from "vitest";
import { project } from "../rig/project.ts";
import { type AgentUnderTest, agentRig, onePipeline, usage } from "./agent-rig.ts";

const codex: AgentUnderTest = {
  ...{ name: "codex", key: "OPENAI_API_KEY", model: "gpt-5", base: "/v1", endpoint: "/v1/responses" },
  shell: (cmd) => [{ name: "exec_command", arguments: JSON.stringify({ cmd }) }],
};
const rig = agentRig(codex);
const { manifest, run } = rig;
const one = (more = "") => `    - { id: look, persona: navigator, task: Look, permissions: { deny: ["network_access:*"] }${more} }\n`;

test("one pipeline: analyze, implement, test; what fails first is tried again with what was wrong; every token is counted", async () => {
  const used = await onePipeline(rig, codex);
  for (const one of used) expect(one).not.toHaveProperty("costUsd");
});

test("a model that never stops calling tools is stopped at the step's turns", async () => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({ "wave.yaml": manifest(one(", resources: { max_turns: 3 }")) });
  rig.mock().on({}, { toolCalls: codex.shell("true"), usage: usage(10, 1) });
  expect((await run(wave)).code).toBe(1);
  expect(wave.events().find(({ type }) => type === "attempt-failed")).toMatchObject({
    ...{ failure: { reason: "budget-exceeded", what: "turns", limit: 3, used: 4 }, usage: { toolCalls: 4 } },
  });
});

test.each([
  [401, "auth", 1],
  [429, "rate-limit", 5],
] as const)("HTTP %d from the model is a failure of kind %s, after %d attempts", async (status, kind, attempts) => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({ "wave.yaml": manifest(one()) });
  rig.mock().on({}, { error: { message: "no", type: "x" }, status });
  expect((await run(wave)).code).toBe(1);
  expect(wave.events().filter((event) => event.type === "attempt-started")).toHaveLength(attempts);
  expect(wave.events().find((event) => event.type === "attempt-failed")).toMatchObject({
    failure: { reason: "agent-failed", kind, status },
  });
});

test("a cost that nobody tells is no budget: exit 4, before any work", async () => {
  const wave = project({ "a.txt": "1\n" });
  wave.write({ "wave.yaml": manifest(one(", resources: { max_cost: 1 }")) });
  expect(await run(wave)).toMatchObject({ code: 4, stderr: expect.stringContaining("`max_cost` cannot be enforced") });
});
