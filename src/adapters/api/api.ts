/** The `api` adapter: calls a model API without an agent CLI. The loop and the tools are Wave's own. */
import type { Step } from "../../core/pipeline.ts";
import type { Adapter } from "../../core/ports.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { AgentEnvironment, NoProgram } from "../agent-program.ts";
import { needsPrice } from "../needs-price.ts";
import type { ApiProvider } from "./tool-loop.ts";

/** The variable of each provider's key, with its protocol and endpoint. The first declared key wins. */
const providers = [
  { key: "ANTHROPIC_API_KEY", name: "anthropic", protocol: "anthropic", baseUrl: "https://api.anthropic.com/v1" },
  { key: "OPENAI_API_KEY", name: "openai", protocol: "openai", baseUrl: "https://api.openai.com/v1" },
  { key: "OPENROUTER_API_KEY", name: "openrouter", protocol: "openai", baseUrl: "https://openrouter.ai/api/v1" },
  { key: "GEMINI_API_KEY", name: "google", protocol: "openai", baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai" },
] as const;

/** Version of the loop. Changes with the text and the tools that a model gets. */
const version = "api/1";

export function apiAdapter({ env }: { readonly env: AgentEnvironment }): Adapter {
  return {
    name: "api",
    version: async () => ok(version),
    async problem(step) {
      const provider = providerOf(step);
      if (!provider.ok) return provider.error;
      const { key } = provider.value;
      if (step.env[key] === undefined && (env[key] ?? "") === "")
        return { detail: `adapter \`api\` has no key: ${key} is not set`, hint: "set it in Wave's environment" };
      return needsPrice("api")(step);
    },
    async run(context) {
      const { step } = context;
      const provider = providerOf(step);
      if (!provider.ok)
        return err({ reason: "adapter-missing", step: step.id, persona: step.persona.name, adapter: "api", ...provider.error });
      const { runLoop } = await import("./tool-loop.ts");
      return runLoop(context, provider.value, env);
    },
  };
}

/** The provider whose key the step declares. With several keys, a model written `PROVIDER/MODEL` selects one. */
export function providerOf({ adapter, secrets, env }: Step): Result<ApiProvider, NoProgram> {
  const model = adapter?.model;
  if (model === undefined)
    return err({ detail: "adapter `api` has no model", hint: "set `adapters.api.model`, or `model` in the persona" });
  const declared = providers.filter(({ key }) => secrets.includes(key) || env[key] !== undefined);
  const prefixed = providers.find(({ name }) => model.startsWith(`${name}/`));
  const wanted = prefixed !== undefined && declared.includes(prefixed) ? prefixed : declared[0];
  if (wanted === undefined)
    return err({
      detail: "adapter `api` has no key: the step declares none, and undeclared variables do not reach it",
      hint: `write \`secrets: [${prefixed?.key ?? providers[0].key}]\` at the top of the manifest, in the persona or in the step`,
    });
  return ok({
    protocol: wanted.protocol,
    model: prefixed === wanted ? model.slice(wanted.name.length + 1) : model,
    baseUrl: adapter?.baseUrl ?? wanted.baseUrl,
    key: wanted.key,
  });
}
