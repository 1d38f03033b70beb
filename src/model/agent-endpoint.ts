/** Which host an agent has to reach for its own sake, whatever its tools may. Pure. */
import type { AdapterName } from "./names.ts";
import type { Step } from "./pipeline.ts";

const defaults: Partial<Record<AdapterName, string>> = { claude: "https://api.anthropic.com", codex: "https://api.openai.com/v1" };

/** `host:port` of the step's model API; nothing for an adapter that has none. */
export function endpointOf({ adapter }: Pick<Step, "adapter">): string | undefined {
  if (adapter === undefined) return undefined;
  const fallback = defaults[adapter.name];
  if (fallback === undefined) return undefined;
  try {
    const { protocol, hostname, port } = new URL(adapter.baseUrl ?? fallback);
    return `${hostname}:${port === "" ? (protocol === "http:" ? "80" : "443") : port}`;
  } catch {
    return undefined;
  }
}

/** Whether an endpoint is on this machine. */
export function isLoopback(endpoint: string): boolean {
  return /^(?:localhost|127\.[0-9.]+|\[::1\]):/.test(endpoint);
}
