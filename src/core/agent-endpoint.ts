/** The model API hosts of agents, which are reachable whatever the permissions say. Pure. */
import type { AdapterName } from "./names.ts";
import type { Step } from "./pipeline.ts";

const defaults: Partial<Record<AdapterName, readonly string[]>> = {
  claude: ["api.anthropic.com:443"],
  codex: ["api.openai.com:443"],
  gemini: ["generativelanguage.googleapis.com:443"],
  // The host depends on the GitHub plan of the token.
  copilot: ["api.github.com:443", "*.githubcopilot.com:443"],
};

/** The hosts of providers, by the first part of a model's name: `anthropic/claude-sonnet-4-5`. */
const providers: Readonly<Record<string, string>> = {
  anthropic: "api.anthropic.com:443",
  google: "generativelanguage.googleapis.com:443",
  openai: "api.openai.com:443",
  opencode: "opencode.ai:443",
  openrouter: "openrouter.ai:443",
};

/** `host:port` of the step's model API, or of each candidate. `*.` matches any part of a name. Empty for adapters without one. */
export function endpointsOf({
  adapter,
  persona,
}: Pick<Step, "adapter"> & { readonly persona?: Pick<Step["persona"], "model"> }): readonly string[] {
  if (adapter === undefined) return [];
  if (adapter.baseUrl !== undefined) return isAgent(adapter.name) ? ofUrl(adapter.baseUrl) : [];
  if (adapter.name !== "opencode" && adapter.name !== "api") return defaults[adapter.name] ?? [];
  const [provider = ""] = (adapter.model ?? persona?.model ?? "").split("/");
  return providers[provider] === undefined ? [] : [providers[provider]];
}

function isAgent(name: AdapterName): boolean {
  return name !== "command" && name !== "replay";
}

function ofUrl(url: string): readonly string[] {
  try {
    const { protocol, hostname, port } = new URL(url);
    return [`${hostname}:${port === "" ? (protocol === "http:" ? "80" : "443") : port}`];
  } catch {
    return [];
  }
}

/** Whether a `host:port` is one of a step's endpoints. */
export function isEndpoint(endpoints: readonly string[], subject: string): boolean {
  return endpoints.some((endpoint) => (endpoint.startsWith("*.") ? subject.endsWith(endpoint.slice(1)) : subject === endpoint));
}

/** Whether an endpoint is on this machine. */
export function isLoopback(endpoint: string): boolean {
  return /^(?:localhost|127\.[0-9.]+|\[::1\]):/.test(endpoint);
}
