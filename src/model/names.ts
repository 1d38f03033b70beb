/** Fixed vocabularies that code needs at run time; schemas are built from them. */

/** How a persona can be executed. */
export const adapterNames = ["command", "claude", "codex", "copilot", "gemini", "opencode", "api", "replay"] as const;

export type AdapterName = (typeof adapterNames)[number];
