/** The `gemini` adapter: a persona that is Google's Gemini CLI, without a terminal. */
import path from "node:path";
import type { Step } from "../../core/pipeline.ts";
import type { Adapter } from "../../core/ports.ts";
import { deniesAll, rulesOf } from "../agent-rules.ts";
import { geminiPackage } from "../agent-versions.ts";
import { agentKeys } from "../detect-agents.ts";
import { needsPrice } from "../needs-price.ts";
import { type AgentSetting, agentAdapter } from "../run-agent.ts";
import { geminiStream } from "./stream.ts";

/** Below the attempt's temporary directory. */
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
        // What the system says goes before what a repository says, but is passed over where others could write to its directory.
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

/** Nothing of what it does beside its work, and nothing of what a repository brings for it that is a program. */
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

/** Its policy engine's rules: the higher priority decides. */
function policyOf(step: Step): string {
  const commands = rulesOf(step, "command");
  const shell = "run_shell_command";
  const rules = [
    // Searches are made elsewhere, past every fence.
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

/** A pattern of argv, as a regular expression over the command as it stands in JSON. */
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
