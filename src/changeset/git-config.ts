/**
 * Masks a repository's configuration for an attempt: keeps what git needs to work, without credentials, programs to start,
 * or redirections of git to other paths. Keeps the listed settings and drops all others, so that new settings of git open
 * no holes.
 */
import { existsSync } from "node:fs";
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { type GitSetting, parseGitConfig } from "../platform/git-config-text.ts";
import { readSmall } from "../platform/git-repository.ts";
import { entriesIn, type WalkedEntry } from "../platform/walk.ts";

/** The largest configuration to read, in bytes. */
const largest = 4 * 1024 * 1024;

/**
 * Names to keep, by section. Deliberately missing: `core.hooksPath`, `core.fsmonitor`, `core.sshCommand`, `core.askPass`,
 * `core.editor`, `core.pager`, `core.gitProxy`, `core.attributesFile`, `credential.*`, `http.*`, `url.*`, `include*`,
 * `filter.*`, `alias.*`, drivers of diff and merge, `submodule.*.update`, `remote.*.vcs`, `remote.*.uploadpack`.
 */
const kept: Readonly<Record<string, RegExp>> = {
  core: /^(?:repositoryformatversion|filemode|bare|symlinks|ignorecase|precomposeunicode|autocrlf|eol|safecrlf|worktree|sparse.*|logallrefupdates|longpaths|protecthfs|protectntfs)$/,
  extensions: /./,
  user: /^(?:name|email|useconfigonly)$/,
  author: /^(?:name|email)$/,
  committer: /^(?:name|email)$/,
  branch: /^(?:remote|pushremote|merge|rebase|description)$/,
  remote: /^(?:url|pushurl|fetch|push|tagopt|prune|promisor|partialclonefilter)$/,
  submodule: /^(?:url|path|active|branch|ignore|shallow)$/,
  index: /^(?:version|sparse)$/,
};

/** Settings that may be wrong for a copy of the repository; false drops one. */
interface KeptSettings {
  /** `core.worktree`, the path of the work tree. */
  readonly worktree?: boolean;
  /** `core.bare`. */
  readonly bare?: boolean;
}

/**
 * The visible part of a configuration file, in git's syntax; includes are not followed. URLs lose user, password, query
 * and fragment. A missing file returns an empty text. Fails with `workspace-failed` if git would reject the file.
 */
export function maskedGitConfig(file: string, keeps: KeptSettings = {}): Result<string> {
  if (!existsSync(file)) return ok("");
  const text = readSmall(file, largest)?.toString();
  const masked = text === undefined ? undefined : maskedConfigText(text, keeps);
  return masked === undefined ? workspaceFailed("EGIT", `git cannot read ${file}`) : ok(masked);
}

/** The same for a configuration's text. Undefined if git would reject it. */
export function maskedConfigText(text: string, { worktree = true, bare = true }: KeptSettings = {}): string | undefined {
  const settings = parseGitConfig(text)?.flatMap((setting) => visible(setting) ?? []);
  return settings === undefined
    ? undefined
    : written(settings.filter(({ key }) => (worktree || key !== "core.worktree") && (bare || key !== "core.bare")));
}

function visible({ key, value }: GitSetting): GitSetting | undefined {
  const { section, name } = partsOf(key);
  if (!Object.hasOwn(kept, section) || kept[section]?.test(name) !== true) return undefined;
  if (value === undefined) return { key, value };
  // A transport helper (`ext::sh -c …`) is a program.
  if (/^[a-z0-9+.-]+::/i.test(value)) return undefined;
  return { key, value: withoutCredentials(value) };
}

/** A URL without user, password, query and fragment; any other text unchanged. */
function withoutCredentials(value: string): string {
  const address = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?([^?#]*)/i.exec(value);
  return address === null ? value : `${address[1]}${address[2]}`;
}

function partsOf(key: string): { readonly section: string; readonly subsection: string | undefined; readonly name: string } {
  const first = key.indexOf(".");
  const last = key.lastIndexOf(".");
  const subsection = first === last ? undefined : key.slice(first + 1, last);
  return { section: key.slice(0, first), subsection, name: key.slice(last + 1) };
}

function written(settings: readonly GitSetting[]): string {
  let text = "";
  let open = "";
  for (const { key, value } of settings) {
    const { section, subsection, name } = partsOf(key);
    const header = subsection === undefined ? `[${section}]` : `[${section} "${subsection.replace(/["\\]/g, "\\$&")}"]`;
    if (header !== open) text += `${header}\n`;
    open = header;
    text += value === undefined ? `\t${name}\n` : `\t${name} = "${quoted(value)}"\n`;
  }
  return text;
}

function quoted(value: string): string {
  const names: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\b": "\\b" };
  return value.replace(/["\\\n\t\b]/g, (found) => names[found] ?? `\\${found}`);
}

/**
 * The configuration files of a repository and of those inside it (submodules, other work trees), relative to its
 * directory, with forward slashes, sorted. Does not follow symlinks.
 */
export function gitConfigFiles(gitDirectory: string): readonly string[] {
  const found: string[] = [];
  const open = [""];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const entries = childrenOf(gitDirectory, place);
    const names = new Set(entries.map(({ name }) => name));
    const isRepository = place === "" || (names.has("HEAD") && names.has("objects"));
    for (const { name, path, kind } of entries) {
      if (kind === "file" && /^config(?:\.worktree)?$/.test(name)) found.push(path);
      // In a repository only these contain others, in directories that spell a submodule's path.
      else if (kind === "directory" && (!isRepository || name === "modules" || name === "worktrees")) open.push(path);
    }
  }
  return found.sort();
}

function childrenOf(root: string, place: string): readonly WalkedEntry[] {
  try {
    return entriesIn(root, place);
  } catch {
    return [];
  }
}
