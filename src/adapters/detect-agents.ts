/** Detects the agents that have a key or a program here, and picks the default one. Reads the environment and PATH; runs nothing. */

import { accessSync, constants } from "node:fs";
import path from "node:path";
import { defined } from "../core/defined.ts";

/** Agent → the variables that can hold its key, the usual one first. The order of agents is the order of preference. */
export const agentKeys = {
  claude: ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"],
  codex: ["OPENAI_API_KEY", "CODEX_API_KEY"],
  gemini: ["GEMINI_API_KEY"],
  copilot: ["COPILOT_GITHUB_TOKEN", "COPILOT_PROVIDER_API_KEY"],
  opencode: ["OPENCODE_API_KEY", "OPENROUTER_API_KEY"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type AgentName = keyof typeof agentKeys;

export interface DetectedAgent {
  readonly name: AgentName;
  /** The variable that holds a key; undefined if none is set. */
  readonly key?: string;
  /** The first program of this name on PATH, in any version; undefined if npm would install it. */
  readonly program?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const names = Object.keys(agentKeys) as AgentName[];

/** All supported agents, in order of preference. */
export function detectAgents(env: Environment): readonly DetectedAgent[] {
  return names.map((name) => {
    const key = keyOf(name, env);
    const program = onPath(name, env);
    return { name, ...defined({ key, program }) };
  });
}

/** The first agent with a key, preferring one on PATH. Logins stored in the home directory do not count: steps cannot see them. */
export function defaultAgent(env: Environment): AgentName | undefined {
  const ready = names.filter((name) => keyOf(name, env) !== undefined);
  return ready.length < 2 ? ready[0] : (ready.find((name) => onPath(name, env) !== undefined) ?? ready[0]);
}

function keyOf(name: AgentName, env: Environment): string | undefined {
  return agentKeys[name].find((variable) => (env[variable] ?? "") !== "");
}

/** The first executable of this name on PATH. Relative entries of PATH are ignored. */
export function onPath(name: string, env: Environment): string | undefined {
  return (env["PATH"] ?? "")
    .split(path.delimiter)
    .filter((directory) => path.isAbsolute(directory))
    .map((directory) => path.join(directory, name))
    .find(isProgram);
}

export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
