/** The `opencode` adapter: runs OpenCode non-interactively, with Wave's configuration only. The repository's is not read. */
import path from "node:path";
import type { Step } from "../../core/pipeline.ts";
import type { Adapter, WorkspacePaths } from "../../core/ports.ts";
import { deniesAll, rulesOf } from "../agent-rules.ts";
import { opencodePackage } from "../agent-versions.ts";
import { agentKeys } from "../detect-agents.ts";
import { needsPrice } from "../needs-price.ts";
import { type AgentSetting, agentAdapter } from "../run-agent.ts";
import { opencodeStream } from "./stream.ts";

/** The key of the model's provider or, with `base_url`, of its endpoint. */
const keys = [...agentKeys.opencode, "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"];

/** Relative to the attempt's temporary directory. */
const home = "opencode";

/** Turns off updates, downloads and sharing, and configuration from the repository and from other agents. */
const quiet = Object.fromEntries(
  [
    ...["AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS", "EXTERNAL_SKILLS", "SHARE"],
    ...["PROJECT_CONFIG", "CLAUDE_CODE", "CLAUDE_CODE_PROMPT", "CLAUDE_CODE_SKILLS"],
  ].map((name) => [`OPENCODE_DISABLE_${name}`, "1"]),
);

export function opencodeAdapter(setting: AgentSetting): Adapter {
  return agentAdapter(
    {
      name: "opencode",
      package: opencodePackage,
      keys,
      args: ({ adapter }) => [
        ...["run", "--format", "json", "--pure", "--title", "wave"],
        ...(adapter?.model === undefined ? [] : ["--model", adapter.baseUrl === undefined ? adapter.model : `wave/${adapter.model}`]),
      ],
      variables: (step, paths) => ({
        ...quiet,
        // A step that runs in the project directory has the user's HOME, where sessions would pile up.
        ...Object.fromEntries(["CONFIG", "DATA", "STATE"].map((name) => [`XDG_${name}_HOME`, path.posix.join(paths.temp, home)])),
        OPENCODE_CONFIG_CONTENT: JSON.stringify(configOf(step, paths)),
      }),
      // OpenCode installs a plugin package next to its configuration. No plugins are used, so npm gets an unreachable registry.
      files: () => ({ [`${home}/opencode/.npmrc`]: "registry=http://127.0.0.1:9/\n" }),
      openStream: opencodeStream,
      limitation: (step) => modelProblem(step) ?? needsPrice("opencode")(step),
    },
    setting,
  );
}

function modelProblem({ adapter }: Step) {
  if (adapter?.model === undefined)
    return {
      detail: "adapter `opencode` has no model",
      hint: "set `adapters.opencode.model`, or `model` in the persona, to `provider/model`",
    };
  if (adapter.baseUrl !== undefined || adapter.model.includes("/")) return undefined;
  return {
    detail: `adapter \`opencode\` cannot find the provider of model \`${adapter.model}\``,
    hint: "write `provider/model`, or set the endpoint of an OpenAI-compatible API with `adapters.opencode.base_url`",
  };
}

function configOf(step: Step, paths: WorkspacePaths) {
  const { model, baseUrl } = step.adapter ?? {};
  const key = keys.find((name) => step.secrets.includes(name) || step.env[name] !== undefined) ?? keys[0];
  const provider =
    baseUrl === undefined || model === undefined
      ? {}
      : {
          enabled_providers: ["wave"],
          small_model: `wave/${model}`,
          provider: {
            wave: {
              npm: "@ai-sdk/openai-compatible",
              name: "wave",
              options: { baseURL: baseUrl, apiKey: `{env:${key}}` },
              models: { [model]: { name: model } },
            },
          },
        };
  return { autoupdate: false, share: "disabled", snapshot: false, permission: permissionOf(step, paths), ...provider };
}

/** OpenCode's rules: the last match wins, and `*` matches anything, including `/`. */
function permissionOf(step: Step, { output, inputs }: WorkspacePaths) {
  const [writes, commands, reads] = [rulesOf(step, "file_write"), rulesOf(step, "command"), rulesOf(step, "file_read")];
  const rules = ({ allowed, denied }: typeof writes) => ({
    ...(allowed.length === 0 ? { "*": "allow" } : { "*": "deny", ...decisions(allowed, "allow") }),
    ...decisions(denied, "deny"),
  });
  return {
    edit: { ...rules(writes), [`${output}/*`]: "allow", [`${outside(output)}/*`]: "allow" },
    bash: deniesAll(commands) ? "deny" : rules(commands),
    read: { "*": "allow", ...decisions(reads.denied, "deny") },
    webfetch: rulesOf(step, "network_access").isOpen ? "allow" : "deny",
    // The provider runs searches outside the sandbox.
    websearch: "deny",
    external_directory: { "*": "deny", [`${output}/*`]: "allow", [`${inputs}/*`]: "allow", "/tmp/*": "allow" },
  };
}

/** Matches a directory outside the working directory, which OpenCode names relative to it (`../..`). */
function outside(directory: string): string {
  return `*${directory}`;
}

function decisions(patterns: readonly string[], action: "allow" | "deny"): Readonly<Record<string, string>> {
  return Object.fromEntries(patterns.map((pattern) => [pattern, action]));
}
