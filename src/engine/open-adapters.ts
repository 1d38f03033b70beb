/** The adapters that a run can use. */
import { commandAdapter } from "../adapters/command/command.ts";
import { defined } from "../core/defined.ts";
import type { Adapter } from "../core/ports.ts";

/** The part of a project request that adapters need. */
interface AdapterSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For `replay`: the recording, absolute. Defaults to the one that the manifest names. */
  readonly recordings?: string;
  readonly hooks?: { readonly onProgress?: (text: string) => void };
}

/** The adapters of this version, by name. `onProgress` is called before a download. */
export function openAdapters({ env, recordings, hooks }: AdapterSettings, root: string): ReadonlyMap<string, Adapter> {
  const onProgress = hooks?.onProgress ?? (() => undefined);
  const agent = { env, onProgress };
  const replayed = { root, ...defined({ recordings }) };
  return new Map([
    ["command", commandAdapter()],
    ["claude", lazyAdapter("claude", async () => (await import("../adapters/claude/claude.ts")).claudeAdapter(agent))],
    ["codex", lazyAdapter("codex", async () => (await import("../adapters/codex/codex.ts")).codexAdapter(agent))],
    ["gemini", lazyAdapter("gemini", async () => (await import("../adapters/gemini/gemini.ts")).geminiAdapter(agent))],
    ["copilot", lazyAdapter("copilot", async () => (await import("../adapters/copilot/copilot.ts")).copilotAdapter(agent))],
    ["opencode", lazyAdapter("opencode", async () => (await import("../adapters/opencode/opencode.ts")).opencodeAdapter(agent))],
    ["api", lazyAdapter("api", async () => (await import("../adapters/api/api.ts")).apiAdapter({ env }))],
    ["replay", lazyAdapter("replay", async () => (await import("../adapters/replay/replay.ts")).replayAdapter(replayed))],
  ]);
}

/** An adapter whose module is loaded on first use. */
function lazyAdapter(name: string, load: () => Promise<Adapter>): Adapter {
  let loaded: Promise<Adapter> | undefined;
  const adapter = () => {
    loaded ??= load();
    return loaded;
  };
  return {
    name,
    version: async (step) => (await adapter()).version(step),
    problem: async (step) => (await adapter()).problem?.(step),
    run: async (context) => (await adapter()).run(context),
  };
}
