/** Copilot CLI itself, on a mock model on loopback. Wave installs the program from npm, into its cache. */
import { test } from "vitest";
import { type AgentUnderTest, agentRig, badDays, deniedShell, endlessTools, onePipeline } from "./agent-rig.ts";

const call = (name: string, input: object) => [{ name, arguments: JSON.stringify(input) }];
const copilot: AgentUnderTest = {
  ...{ name: "copilot", key: "COPILOT_PROVIDER_API_KEY", model: "m1", base: "/v1", endpoint: "/v1/chat/completions" },
  shell: (command) => call("bash", { command, description: "as asked" }),
};
const rig = agentRig(copilot);

test("one pipeline: analyze, implement, test; what fails first is tried again with what was wrong; every token is counted", async () => {
  await onePipeline(rig, copilot);
});

test("a command that the step may not run is refused, and counted", async () => {
  await deniedShell(rig, copilot);
});

test("a model that never stops calling tools is stopped at the step's turns", async () => {
  await endlessTools(rig, (file) => call("view", { path: file }));
});

test.each([
  [401, "auth", 1],
  [429, "rate-limit", 2],
  [500, "network", 2],
] as const)("HTTP %d from the model is a failure of kind %s, after %d attempts", async (status, kind, attempts) => {
  await badDays(rig, status, kind, attempts);
});
