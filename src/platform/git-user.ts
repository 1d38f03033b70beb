/**
 * Reads two settings of the user's git configuration: `safe.directory` and `core.excludesFile`, the list of ignored files. Only from
 * scopes that the user controls (system, global and the environment), never from a repository.
 */
import { homedir } from "node:os";
import path from "node:path";
import type { Captured } from "./capture.ts";
import { realPlace } from "./files.ts";

/** Git arguments that print the file of ignored files, and the work trees that the user trusts regardless of owner. */
export const excludesArgs = ["config", "--type=path", "--get", "core.excludesFile"] as const;
export const trustArgs = ["config", "-z", "--type=path", "--get-all", "safe.directory"] as const;

/** Variables that contain configuration, as CI services set them; all others refer to a repository. */
const configVariables = /^GIT_CONFIG_(?:COUNT|KEY_\d+|VALUE_\d+|PARAMETERS|GLOBAL|SYSTEM|NOSYSTEM)$/;

/** The process's environment without variables that point git to a repository, configuration or another program. */
export function withoutGit(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_") || name === "GIT_EXEC_PATH"));
}

/** The variables with which git finds the user's configuration; undefined for those that must not be set. */
export function userVariables(): Readonly<Record<string, string | undefined>> {
  const cleared = ["HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"];
  const set = Object.entries(process.env).filter(([name]) => configVariables.test(name) || cleared.includes(name));
  return { ...Object.fromEntries(cleared.map((name) => [name, undefined])), ...Object.fromEntries(set) };
}

/** The file in the output of `excludesArgs`. Defaults to git's own (gitignore(5)). */
export function excludesIn(answer: Captured | undefined): string {
  const named = answer?.code === 0 ? answer.stdout.toString().replace(/\n$/, "") : "";
  return named === "" ? defaultExcludes() : named;
}

export function defaultExcludes(): string {
  const home = process.env["XDG_CONFIG_HOME"] ?? "";
  return path.join(home === "" ? path.join(homedir(), ".config") : home, "git/ignore");
}

/** Whether the output of `trustArgs` contains the work tree `top`, by the rules of git-config(1). */
export function trusts(answer: Captured | undefined, top: string): boolean {
  let trusted = false;
  for (const value of answer?.code === 0 ? answer.stdout.toString().split("\0").slice(0, -1) : []) {
    if (value === "") trusted = false;
    else if (value === "*" || [value, realPlace(value)].includes(top)) trusted = true;
    else if (value.endsWith("/*") && top.startsWith(value.slice(0, -1))) trusted = true;
  }
  return trusted;
}
