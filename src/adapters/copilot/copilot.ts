/** The `copilot` adapter: a persona that is GitHub's Copilot CLI, without a terminal; on GitHub's models, or with `base_url` on those of an OpenAI-compatible API. */
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
        // What a repository brings for agents is somebody's text.
        ...["--no-custom-instructions", "--disable-builtin-mcps", "--usage-output-file", path.posix.join(paths.temp, exitReport)],
        ...(step.adapter?.model === undefined ? [] : ["--model", step.adapter.model]),
        // Which paths there are is the sandbox's to say.
        "--allow-all-paths",
        ...toolArgs(step, paths),
      ],
      variables: ({ adapter }, { temp }) => ({
        COPILOT_HOME: path.posix.join(temp, "copilot"),
        COPILOT_AUTO_UPDATE: "false",
        ...(adapter?.baseUrl === undefined ? {} : { COPILOT_OFFLINE: "true", COPILOT_PROVIDER_BASE_URL: adapter.baseUrl }),
      }),
      openStream: copilotStream,
      exitReport: exitReport,
      limitation: (step) => providerProblem(step) ?? needsPrice("copilot")(step),
    },
    setting,
  );
}

function providerProblem({ adapter, secrets, env }: Step) {
  if (adapter?.baseUrl !== undefined && adapter.model === undefined)
    return { detail: "adapter `copilot` has no model", hint: "with `base_url`, name one with `adapters.copilot.model` or in the persona" };
  const declared = (name: string) => secrets.includes(name) || env[name] !== undefined;
  const [github, provider] = agentKeys.copilot;
  const wanted = adapter?.baseUrl === undefined ? github : provider;
  if (declared(wanted) || !declared(wanted === github ? provider : github)) return undefined;
  return adapter?.baseUrl === undefined
    ? {
        detail: `adapter \`copilot\` takes ${github} for GitHub's models`,
        hint: "declare it as a secret, or name another endpoint with `adapters.copilot.base_url`",
      }
    : { detail: `adapter \`copilot\` takes ${provider} for the endpoint of \`base_url\``, hint: "declare it as a secret" };
}

function toolArgs(step: Step, { root, output }: WorkspacePaths): readonly string[] {
  const [writes, commands, network] = [rulesOf(step, "file_write"), rulesOf(step, "command"), rulesOf(step, "network_access")];
  const write = (pattern: string) => `write(${root}/${pattern})`;
  // A shell that may run anything writes where it likes, and only this lets it redirect its output: what it may write, the sandbox and the check know.
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

/** `git *` is every command of git. */
function shell(pattern: string): string {
  return /^[^*]+ \*+$/.test(pattern) ? `shell(${pattern.replace(/ \*+$/, "")}:*)` : `shell(${pattern})`;
}
