/** Which agents could work in this environment, and the one that a step gets when nobody names an adapter. Runs nothing. */

import { accessSync, constants } from "node:fs";
import path from "node:path";
import { defined } from "../core/defined.ts";

/** Agent → the variables that its key may stand in, the usual one first. */
export const agentKeys = {
  claude: ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"],
  codex: ["OPENAI_API_KEY", "CODEX_API_KEY"],
  gemini: ["GEMINI_API_KEY"],
  copilot: ["COPILOT_GITHUB_TOKEN", "COPILOT_PROVIDER_API_KEY"],
  opencode: ["OPENCODE_API_KEY", "OPENROUTER_API_KEY"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type AgentName = keyof typeof agentKeys;

export interface AgentHere {
  readonly name: AgentName;
  /** The variable that has a key; absent: none has. */
  readonly key?: string;
  /** The first program of its name on PATH, in whatever version; absent: npm would bring it. */
  readonly program?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const names = Object.keys(agentKeys) as AgentName[];

/** All agents that wave knows, in the order in which they are preferred. */
export function agentsHere(env: Environment): readonly AgentHere[] {
  return names.map((name) => {
    const key = keyOf(name, env);
    const program = onPath(name, env);
    return { name, ...defined({ key, program }) };
  });
}

/** One that has a key, rather one whose program is here already. Without a key none can work: what a login left at home is not shown to it. */
export function defaultAgent(env: Environment): AgentName | undefined {
  const ready = names.filter((name) => keyOf(name, env) !== undefined);
  return ready.length < 2 ? ready[0] : (ready.find((name) => onPath(name, env) !== undefined) ?? ready[0]);
}

function keyOf(name: AgentName, env: Environment): string | undefined {
  return agentKeys[name].find((variable) => (env[variable] ?? "") !== "");
}

/** The first executable of a name on PATH. */
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
