/** Fixed vocabularies that code needs at run time; schemas are built from them. */

/** How a persona can be executed. */
export const adapterNames = ["command", "claude", "codex", "copilot", "gemini", "opencode", "api", "replay"] as const;

/** Those that are programs of agents, in versions of their own. */
export const agentNames = ["claude", "codex", "copilot", "gemini", "opencode"] as const satisfies readonly (typeof adapterNames)[number][];

export type AdapterName = (typeof adapterNames)[number];
