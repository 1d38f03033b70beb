/** Fixed vocabularies that code needs at run time; schemas are built from them. */

/** The adapters that can execute a persona. */
export const adapterNames = ["command", "claude", "codex", "copilot", "gemini", "opencode", "api", "replay"] as const;

/** The adapters that run an agent's CLI, which has its own version. */
export const agentNames = ["claude", "codex", "copilot", "gemini", "opencode"] as const satisfies readonly (typeof adapterNames)[number][];

export type AdapterName = (typeof adapterNames)[number];
