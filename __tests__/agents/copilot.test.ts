/** Copilot CLI itself, on a mock model on loopback. Wave installs the program from npm, into its cache. */
import { type AgentUnderTest, shellAgentTests } from "./agent-rig.ts";

const call = (name: string, input: object) => [{ name, arguments: JSON.stringify(input) }];
const copilot: AgentUnderTest = {
  ...{ name: "copilot", key: "COPILOT_PROVIDER_API_KEY", model: "m1", base: "/v1", endpoint: "/v1/chat/completions" },
  shell: (command) => call("bash", { command, description: "as asked" }),
};

shellAgentTests(copilot, (file) => call("view", { path: file }));
