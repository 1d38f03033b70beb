/** Gemini CLI itself, on a mock model on loopback. Wave installs the program from npm, into its cache. */
import { type AgentUnderTest, shellAgentTests } from "./agent-rig.ts";

const call = (name: string, input: object) => [{ name, arguments: JSON.stringify(input) }];
const gemini: AgentUnderTest = {
  ...{ name: "gemini", key: "GEMINI_API_KEY", model: "gemini-2.5-pro", base: "" },
  endpoint: "/v1beta/models/gemini-2.5-pro:streamGenerateContent",
  shell: (command) => call("run_shell_command", { command }),
};

shellAgentTests(gemini, (file) => call("read_file", { file_path: file }));
