/**
 * The `copilot` adapter: runs GitHub's Copilot CLI non-interactively, with GitHub's models or, if `base_url` is set, with
 * an OpenAI-compatible API.
 */
import path from "node:path";
import type { Step } from "../../core/pipeline.ts";
import type { Adapter, WorkspacePaths } from "../../core/ports.ts";
import { deniesAll, rulesOf } from "../agent-rules.ts";
import { copilotPackage } from "../agent-versions.ts";
import { agentKeys } from "../detect-agents.ts";
import { needsPrice } from "../needs-price.ts";
import { type AgentSetting, agentAdapter } from "../run-agent.ts";
import { copilotStream } from "./stream.ts";

const exitReport = "copilot-usage.json";

export function copilotAdapter(setting: AgentSetting): Adapter {
  return agentAdapter(
    {
      name: "copilot",
      package: copilotPackage,
      keys: agentKeys.copilot,
      args: (step, paths) => [
        ...["--output-format", "json", "--stream", "off", "--no-color", "--no-ask-user", "--no-auto-update", "--disable-client-telemetry"],
        // The repository's instructions for agents are untrusted.
        ...["--no-custom-instructions", "--disable-builtin-mcps", "--usage-output-file", path.posix.join(paths.temp, exitReport)],
        ...(step.adapter?.model === undefined ? [] : ["--model", step.adapter.model]),
        // The sandbox decides which paths are visible.
        "--allow-all-paths",
        ...toolArgs(step, paths),
      ],
      variables: ({ adapter }, { temp }) => ({
        COPILOT_HOME: path.posix.join(temp, "copilot"),
        COPILOT_AUTO_UPDATE: "false",
        ...(adapter?.baseUrl === undefined ? {} : { COPILOT_OFFLINE: "true", COPILOT_PROVIDER_BASE_URL: adapter.baseUrl }),
      }),
      openStream: copilotStream,
      exitReport,
      limitation: (step) => providerProblem(step) ?? needsPrice("copilot")(step),
    },
    setting,
  );
}

function providerProblem({ adapter, secrets, env }: Step) {
  if (adapter?.baseUrl !== undefined && adapter.model === undefined)
    return { detail: "adapter `copilot` has no model", hint: "with `base_url`, set `adapters.copilot.model`, or `model` in the persona" };
  const declared = (name: string) => secrets.includes(name) || env[name] !== undefined;
  const [github, provider] = agentKeys.copilot;
  const wanted = adapter?.baseUrl === undefined ? github : provider;
  if (declared(wanted) || !declared(wanted === github ? provider : github)) return undefined;
  return adapter?.baseUrl === undefined
    ? {
        detail: `adapter \`copilot\` needs ${github} for GitHub's models`,
        hint: "declare it under `secrets:`, or set another endpoint with `adapters.copilot.base_url`",
      }
    : { detail: `adapter \`copilot\` needs ${provider} for the endpoint of \`base_url\``, hint: "declare it under `secrets:`" };
}

function toolArgs(step: Step, { root, output }: WorkspacePaths): readonly string[] {
  const [writes, commands, network] = [rulesOf(step, "file_write"), rulesOf(step, "command"), rulesOf(step, "network_access")];
  const write = (pattern: string) => `write(${root}/${pattern})`;
  // Only this option lets commands redirect output. An unrestricted shell can write anyway; the sandbox and the check of
  // the changes enforce `file_write`.
  const runs = commands.allowed.length === 0 && !deniesAll(commands);
  const allow = [
    ...(writes.allowed.length === 0 ? ["write"] : [...writes.allowed.map(write), `write(${output}/**)`]),
    ...commands.allowed.map(shell),
  ];
  const deny = [...(deniesAll(writes) ? [] : writes.denied.map(write)), ...(deniesAll(commands) ? ["shell"] : commands.denied.map(shell))];
  return [
    ...(runs ? ["--allow-all-tools"] : allow.flatMap((tool) => ["--allow-tool", tool])),
    ...deny.flatMap((tool) => ["--deny-tool", tool]),
    ...(network.isOpen ? ["--allow-all-urls"] : []),
  ];
}

/** Copilot writes `git *` as `git:*`. */
function shell(pattern: string): string {
  return /^[^*]+ \*+$/.test(pattern) ? `shell(${pattern.replace(/ \*+$/, "")}:*)` : `shell(${pattern})`;
}
