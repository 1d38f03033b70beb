/**
 * The part of the user's own git configuration that Wave reads: `safe.directory`, and `core.excludesFile`, which names a list of ignored
 * files. It is read from the scopes that only the user controls (system, global, and the environment), never from a repository.
 */
import { homedir } from "node:os";
import path from "node:path";
import type { Captured } from "./capture.ts";
import { capture } from "./capture.ts";
import { realPlace } from "./files.ts";

/** Variables that hand over configuration, as continuous integration services do; all others concern some repository. */
const userVariable = /^GIT_CONFIG_(?:COUNT|KEY_\d+|VALUE_\d+|PARAMETERS|GLOBAL|SYSTEM|NOSYSTEM)$/;
const homeVariable = /^(?:HOME|XDG_CONFIG_HOME)$/;

const excludesQuestion = ["config", "--type=path", "--get", "core.excludesFile"];

let excludes: Promise<string> | undefined;

/** The process's environment without what leads git to a repository or to another program. */
export function withoutGit(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("GIT_") || name === "GIT_EXEC_PATH"));
}

/** The file of ignored files that counts in all of the user's repositories. `gitDirectory` is an empty repository. Asked once. */
export function userExcludes(gitDirectory: string): Promise<string> {
  excludes ??= ask(excludesQuestion, gitDirectory).then(excludesIn);
  return excludes;
}

/** Whether `userExcludes` was asked, so that it costs nothing any more. */
export function knowsUserExcludes(): boolean {
  return excludes !== undefined;
}

/**
 * The same question as a command for a shell whose environment is a shadow's: it prints the answer. `learnUserExcludes` takes it.
 * `quote` makes a word of a text.
 */
export function userExcludesCommand(quote: (text: string) => string): string {
  const own = Object.entries(process.env).filter(([name]) => userVariable.test(name) || homeVariable.test(name));
  const exports = own.flatMap(([name, value]) => (value === undefined ? [] : [`export ${name}=${quote(value)}`]));
  const cleared = "unset HOME XDG_CONFIG_HOME GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM GIT_CONFIG_NOSYSTEM";
  return [cleared, ...exports, `git ${excludesQuestion.join(" ")}`].join("; ");
}

/** Keeps an answer to `userExcludesCommand`, and returns the file. */
export function learnUserExcludes(answer: Captured): void {
  excludes ??= Promise.resolve(excludesIn(answer));
}

function excludesIn(answer: Captured | undefined): string {
  const named = answer?.code === 0 ? answer.stdout.toString().replace(/\n$/, "") : "";
  return named === "" ? defaultExcludes() : named;
}

/** Where git looks without `core.excludesFile` (gitignore(5)). */
export function defaultExcludes(): string {
  const home = process.env["XDG_CONFIG_HOME"] ?? "";
  return path.join(home === "" ? path.join(homedir(), ".config") : home, "git", "ignore");
}

/** Whether the user's `safe.directory` names a work tree, by the rules of git-config(1). `gitDirectory` is an empty repository. */
export async function isTrusted(top: string, gitDirectory: string): Promise<boolean> {
  const answer = await ask(["config", "-z", "--type=path", "--get-all", "safe.directory"], gitDirectory);
  let trusted = false;
  for (const value of answer?.code === 0 ? answer.stdout.toString().split("\0").slice(0, -1) : []) {
    if (value === "") trusted = false;
    else if (value === "*" || [value, realPlace(value)].includes(top)) trusted = true;
    else if (value.endsWith("/*") && top.startsWith(value.slice(0, -1))) trusted = true;
  }
  return trusted;
}

async function ask(words: readonly string[], gitDirectory: string): Promise<Captured | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => userVariable.test(name));
  const env = { ...withoutGit(), ...Object.fromEntries(kept), GIT_DIR: gitDirectory, GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
  const answer = await capture({ command: ["git", ...words], cwd: gitDirectory, env });
  return answer.ok ? answer.value : undefined;
}
