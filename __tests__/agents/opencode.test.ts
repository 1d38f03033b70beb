/** OpenCode itself, on a mock model on loopback. Wave installs the program from npm, into its cache. */
import { expect, test } from "vitest";
import { type AgentUnderTest, agentRig, badDays, deniedWrite, endlessTools, onePipeline } from "./agent-rig.ts";

const call = (name: string, input: object) => [{ name, arguments: JSON.stringify(input) }];
const opencode: AgentUnderTest = {
  ...{ name: "opencode", key: "OPENAI_API_KEY", model: "m1", base: "/v1", endpoint: "/v1/chat/completions" },
  shell: (command) => call("bash", { command, description: "as asked" }),
};
const rig = agentRig(opencode);

test("one pipeline: analyze, implement, test; what fails first is tried again with what was wrong; every token is counted", async () => {
  await onePipeline(rig, opencode);
});

test("a write that the step may not do is refused, and counted", async () => {
  await deniedWrite(rig, (file) => call("write", { filePath: file, content: "x" }));
});

test("a model that never stops calling tools is stopped at the step's turns", async () => {
  await endlessTools(rig, (file) => call("read", { filePath: file }));
});

// It tries a failing model again for more than a minute, and nobody can tell it not to.
test.each([[401, "auth", 1] as const])(
  "HTTP %d from the model is a failure of kind %s, after %d attempts",
  async (status, kind, attempts) => {
    await badDays(rig, status, kind, attempts);
  },
);

test("a model that has no name is refused before any work", async () => {
  const wave = rig.oneStep("");
  wave.write({ "wave.yaml": rig.manifest("    - { id: look, persona: navigator, task: Look }\n").replace(/, model: m1/, "") });
  const ran = await rig.run(wave);
  expect([ran.code, ran.stderr.includes("adapter `opencode` has no model")]).toEqual([4, true]);
});
