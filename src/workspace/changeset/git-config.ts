/**
 * Configurations of a repository for the eyes of an attempt: what a working git needs, and nothing that holds credentials, starts
 * programs, or sends git elsewhere. It keeps what is listed here and drops everything else, so new keys of git are no holes.
 */
import { type Dirent, existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { err, ok, type Result } from "../../model/result.ts";
import { type GitSetting, parseGitConfig } from "../../platform/git-config-text.ts";
import { readSmall } from "../../platform/git-repository.ts";

/** The largest configuration that is read, in bytes. */
const largest = 4 * 1024 * 1024;

/**
 * By section: which names may stay. Not among them: `core.hooksPath`, `core.fsmonitor`, `core.sshCommand`, `core.askPass`, `core.editor`,
 * `core.pager`, `core.gitProxy`, `core.attributesFile`, `credential.*`, `http.*`, `url.*`, `include*`, `filter.*`, `alias.*`, drivers of
 * diff and merge, `submodule.*.update`, `remote.*.vcs`, `remote.*.uploadpack`.
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

/**
 * The part of a configuration file that may be seen, in git's syntax; includes are not followed. Addresses lose user, password, query and
 * fragment. A missing file returns the empty text. Fails with `workspace-failed` if git would refuse the file. With `worktree: false` the place
 * of the work tree is dropped: for a repository that was moved.
 */
export function maskedGitConfig(file: string, { worktree = true }: { readonly worktree?: boolean } = {}): Result<string> {
  if (!existsSync(file)) return ok("");
  const settings = parseGitConfig(readSmall(file, largest)?.toString() ?? "[");
  if (settings === undefined) return err({ reason: "workspace-failed", code: "EGIT", detail: `git cannot read ${file}` });
  const kept = settings.flatMap((setting) => visible(setting) ?? []);
  return ok(written(kept.filter(({ key }) => worktree || key !== "core.worktree")));
}

function visible({ key, value }: GitSetting): GitSetting | undefined {
  const { section, name } = partsOf(key);
  if (!Object.hasOwn(kept, section) || kept[section]?.test(name) !== true) return undefined;
  if (value === undefined) return { key, value };
  // A transport of its own (`ext::sh -c …`) is a program.
  if (/^[a-z0-9+.-]+::/i.test(value)) return undefined;
  return { key, value: withoutCredentials(value) };
}

/** An address without user, password, query and fragment; any other text as it is. */
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

const deepest = 20;

/**
 * The configuration files of a repository and of those inside it (submodules, other work trees), relative to its directory, with forward
 * slashes, sorted. Symlinks are not followed.
 */
export function gitConfigFiles(gitDirectory: string): readonly string[] {
  const found: string[] = [];
  const visit = (place: string, depth: number): void => {
    if (depth > deepest) return;
    const children = childrenOf(path.join(gitDirectory, place));
    const names = new Set(children.map(({ name }) => name));
    const isRepository = place === "" || (names.has("HEAD") && names.has("objects"));
    for (const { name } of children.filter((child) => child.isFile() && /^config(?:\.worktree)?$/.test(child.name))) {
      found.push(`${place}${name}`);
    }
    for (const child of children.filter((one) => one.isDirectory())) {
      // In a repository only these hold others; between them lie directories that spell a submodule's path.
      if (!isRepository || child.name === "modules" || child.name === "worktrees") visit(`${place}${child.name}/`, depth + 1);
    }
  };
  visit("", 0);
  return found.sort();
}

function childrenOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}
