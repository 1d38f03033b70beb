/**
 * The part of the user's own git configuration that Wave reads: `safe.directory`, and `core.excludesFile`, which names a list of ignored
 * files. It is read from the scopes that only the user controls (system, global, and the environment), never from a repository.
 */
import { homedir } from "node:os";
import path from "node:path";
import type { Captured } from "./capture.ts";
import { realPlace } from "./files.ts";

/** Git's words that print the file of ignored files, and the work trees that the user trusts whoever owns them. */
export const excludesQuestion = ["config", "--type=path", "--get", "core.excludesFile"] as const;
export const trustQuestion = ["config", "-z", "--type=path", "--get-all", "safe.directory"] as const;

/** Variables that hand over configuration, as continuous integration services do; all others concern some repository. */
const handedOver = /^GIT_CONFIG_(?:COUNT|KEY_\d+|VALUE_\d+|PARAMETERS|GLOBAL|SYSTEM|NOSYSTEM)$/;

/** The process's environment without what leads git to a repository, to configuration or to another program. */
export function withoutGit(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_") || name === "GIT_EXEC_PATH"));
}

/** The variables by which git finds the user's configuration; `undefined` for those that must not be set. */
export function userVariables(): Readonly<Record<string, string | undefined>> {
  const cleared = ["HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"];
  const set = Object.entries(process.env).filter(([name]) => handedOver.test(name) || cleared.includes(name));
  return { ...Object.fromEntries(cleared.map((name) => [name, undefined])), ...Object.fromEntries(set) };
}

/** The file that an answer to `excludesQuestion` names. Without one it is git's default (gitignore(5)). */
export function excludesIn(answer: Captured | undefined): string {
  const named = answer?.code === 0 ? answer.stdout.toString().replace(/\n$/, "") : "";
  return named === "" ? defaultExcludes() : named;
}

export function defaultExcludes(): string {
  const home = process.env["XDG_CONFIG_HOME"] ?? "";
  return path.join(home === "" ? path.join(homedir(), ".config") : home, "git/ignore");
}

/** Whether an answer to `trustQuestion` names the work tree `top`, by the rules of git-config(1). */
export function trusts(answer: Captured | undefined, top: string): boolean {
  let trusted = false;
  for (const value of answer?.code === 0 ? answer.stdout.toString().split("\0").slice(0, -1) : []) {
    if (value === "") trusted = false;
    else if (value === "*" || [value, realPlace(value)].includes(top)) trusted = true;
    else if (value.endsWith("/*") && top.startsWith(value.slice(0, -1))) trusted = true;
  }
  return trusted;
}
