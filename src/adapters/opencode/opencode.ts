/** The `opencode` adapter: a persona that is OpenCode, without a terminal. All of its configuration is handed to it; what a repository has for it is not read. */
import path from "node:path";
import type { Step } from "../../core/pipeline.ts";
import type { Adapter, WorkspacePaths } from "../../core/ports.ts";
import { deniesAll, rulesOf } from "../agent-rules.ts";
import { opencodePackage } from "../agent-versions.ts";
import { agentKeys } from "../detect-agents.ts";
import { needsPrice } from "../needs-price.ts";
import { type AgentSetting, agentAdapter } from "../run-agent.ts";
import { opencodeStream } from "./stream.ts";

/** A provider's own key, or with `base_url` any that its endpoint takes. */
const keys = [...agentKeys.opencode, "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"];

/** Below the attempt's temporary directory. */
const home = "opencode";

/** Nothing of what it does beside its work, and nothing of what others have left for it. */
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
        // In place, HOME is the user's own, where its sessions would pile up.
        ...Object.fromEntries(["CONFIG", "DATA", "STATE"].map((name) => [`XDG_${name}_HOME`, path.posix.join(paths.temp, home)])),
        OPENCODE_CONFIG_CONTENT: JSON.stringify(configOf(step, paths)),
      }),
      // It would install a package for plugins beside its configuration, of which there are none: there, no registry answers.
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
      hint: "name one, as `provider/model`, with `adapters.opencode.model` or in the persona",
    };
  if (adapter.baseUrl !== undefined || adapter.model.includes("/")) return undefined;
  return {
    detail: `adapter \`opencode\` does not know whose model \`${adapter.model}\` is`,
    hint: "write `provider/model`, or name the endpoint of an OpenAI-compatible API with `adapters.opencode.base_url`",
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

/** Its rules: of those that match, the last decides. A `*` in them stands for anything. */
function permissionOf(step: Step, { output, inputs }: WorkspacePaths) {
  const [writes, commands, reads] = [rulesOf(step, "file_write"), rulesOf(step, "command"), rulesOf(step, "file_read")];
  const rules = ({ allowed, denied }: typeof writes) => ({
    ...(allowed.length === 0 ? { "*": "allow" } : { "*": "deny", ...args(allowed, "allow") }),
    ...args(denied, "deny"),
  });
  return {
    edit: { ...rules(writes), [`${output}/*`]: "allow", [`${relative(output)}/*`]: "allow" },
    bash: deniesAll(commands) ? "deny" : rules(commands),
    read: { "*": "allow", ...args(reads.denied, "deny") },
    webfetch: rulesOf(step, "network_access").isOpen ? "allow" : "deny",
    // Searches are made elsewhere, past every fence.
    websearch: "deny",
    external_directory: { "*": "deny", [`${output}/*`]: "allow", [`${inputs}/*`]: "allow", "/tmp/*": "allow" },
  };
}

/** It names files outside of its directory by the way up to them. */
function relative(directory: string): string {
  return `*${directory}`;
}

function args(patterns: readonly string[], action: "allow" | "deny"): Readonly<Record<string, string>> {
  return Object.fromEntries(patterns.map((pattern) => [pattern, action]));
}
