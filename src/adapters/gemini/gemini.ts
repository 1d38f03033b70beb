/** The `gemini` adapter: runs Google's Gemini CLI non-interactively. */
import path from "node:path";
import type { Step } from "../../core/pipeline.ts";
import type { Adapter } from "../../core/ports.ts";
import { deniesAll, rulesOf } from "../agent-rules.ts";
import { geminiPackage } from "../agent-versions.ts";
import { agentKeys } from "../detect-agents.ts";
import { needsPrice } from "../needs-price.ts";
import { type AgentSetting, agentAdapter } from "../run-agent.ts";
import { geminiStream } from "./stream.ts";

/** Relative to the attempt's temporary directory. */
const home = "gemini";

export function geminiAdapter(setting: AgentSetting): Adapter {
  return agentAdapter(
    {
      name: "gemini",
      package: geminiPackage,
      keys: agentKeys.gemini,
      args: ({ adapter }, { temp, output, inputs }) => [
        ...["--output-format", "stream-json", "--skip-trust", "--approval-mode", "yolo"],
        ...["--policy", path.posix.join(temp, home, "policy.toml")],
        ...["--include-directories", `${output},${inputs}`],
        ...["--extensions", "none", "--allowed-mcp-server-names", "none"],
        ...(adapter?.model === undefined ? [] : ["--model", adapter.model]),
      ],
      variables: ({ adapter }, { temp }) => ({
        GEMINI_CLI_HOME: path.posix.join(temp, home),
        GEMINI_CLI_SYSTEM_SETTINGS_PATH: path.posix.join(temp, home, "system.json"),
        GEMINI_CLI_NO_RELAUNCH: "true",
        ...(adapter?.baseUrl === undefined ? {} : { GOOGLE_GEMINI_BASE_URL: adapter.baseUrl }),
      }),
      files: (step) => ({
        // System settings override the repository's, but are ignored if others can write to their directory.
        [`${home}/.gemini/settings.json`]: settings,
        [`${home}/system.json`]: settings,
        [`${home}/policy.toml`]: policyOf(step),
      }),
      openStream: geminiStream,
      limitation: needsPrice("gemini"),
    },
    setting,
  );
}

/** Turns off telemetry and updates, and the repository's hooks, skills, extensions and MCP servers. */
const settings = `${JSON.stringify(
  {
    security: { auth: { selectedType: "gemini-api-key" } },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    general: { enableAutoUpdate: false, enableAutoUpdateNotification: false, maxAttempts: 2 },
    hooksConfig: { enabled: false },
    skills: { enabled: false },
    mcp: { allowed: [] },
    admin: { mcp: { enabled: false }, extensions: { enabled: false }, skills: { enabled: false } },
  },
  undefined,
  2,
)}\n`;

/** Rules of Gemini's policy engine: the highest priority wins. */
function policyOf(step: Step): string {
  const commands = rulesOf(step, "command");
  const shell = "run_shell_command";
  const rules = [
    // The provider runs searches outside the sandbox.
    rule(["google_web_search"], "deny", 900),
    ...(rulesOf(step, "network_access").isOpen ? [] : [rule(["web_fetch"], "deny", 900)]),
    ...(deniesAll(rulesOf(step, "file_write")) ? [rule(["write_file", "replace"], "deny", 900)] : []),
    ...(deniesAll(commands) ? [rule([shell], "deny", 900)] : commands.denied.map((pattern) => commandRule(pattern, "deny", 800))),
    ...(commands.allowed.length === 0 || deniesAll(commands)
      ? []
      : [...commands.allowed.map((pattern) => commandRule(pattern, "allow", 700)), rule([shell], "deny", 600)]),
  ];
  return `${rules.join("\n")}\n`;
}

function rule(tools: readonly string[], decision: "allow" | "deny", priority: number, more = ""): string {
  const names = tools.length === 1 ? JSON.stringify(tools[0]) : JSON.stringify(tools);
  return `[[rule]]\ntoolName = ${names}\ndecision = "${decision}"\npriority = ${priority}\n${more}`;
}

/** Turns an argv pattern into a regular expression over the JSON-encoded command. */
function commandRule(pattern: string, decision: "allow" | "deny", priority: number): string {
  const args = pattern.split(/(\*+)/).map((part) => {
    if (part.startsWith("*")) return ".*";
    return JSON.stringify(part)
      .slice(1, -1)
      .replace(/[\\^$.|?+()[\]{}]/g, "\\$&");
  });
  const whole = `${args.join("").replace(/ \.\*$/, "(?: .*)?")}"`;
  return rule(["run_shell_command"], decision, priority, `commandRegex = ${JSON.stringify(whole)}\n`);
}
