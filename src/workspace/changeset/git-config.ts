/**
 * Configurations of a repository for the eyes of an attempt: what a working git needs, and nothing that holds credentials, starts
 * programs, or sends git elsewhere. It keeps what is listed here and drops everything else, so new keys of git are no holes.
 */
import { type Dirent, readdirSync } from "node:fs";
import path from "node:path";
import { err, ok, type Result } from "../../model/result.ts";
import { runGit } from "../../platform/git.ts";

/** One line of a configuration. */
interface Setting {
  /** `remote.origin.url`: section and name in lower case, the part between them as it is. */
  readonly key: string;
  /** Absent for a key without `=`, which means `true`. */
  readonly value: string | undefined;
}

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
 * fragment. A file that is not there gives nothing. Fails with `spawn-failed` without git, and with `workspace-failed` where git cannot read
 * the file. With `worktree: false` the place of the work tree is dropped: for a repository that was moved.
 */
export async function maskedGitConfig(file: string, { worktree = true }: { readonly worktree?: boolean } = {}): Promise<Result<string>> {
  const listed = await runGit(["config", "--file", file, "--no-includes", "--list", "-z"], path.dirname(file));
  if (!listed.ok) return listed;
  const { code, stdout, stderr } = listed.value;
  if (code !== 0) {
    if (/No such file or directory/.test(stderr)) return ok("");
    return err({ reason: "workspace-failed", code: "EGIT", detail: `git cannot read ${file}: ${stderr.trim()}` });
  }
  const settings = settingsOf(stdout.toString()).flatMap((setting) => visible(setting) ?? []);
  return ok(written(settings.filter(({ key }) => worktree || key !== "core.worktree")));
}

/** `key\nvalue\0`, or `key\0`. */
function settingsOf(output: string): Setting[] {
  return output
    .split("\0")
    .filter((record) => record !== "")
    .map((record) => {
      const end = record.indexOf("\n");
      return end === -1 ? { key: record, value: undefined } : { key: record.slice(0, end), value: record.slice(end + 1) };
    });
}

function visible({ key, value }: Setting): Setting | undefined {
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

function written(settings: readonly Setting[]): string {
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
export async function gitConfigFiles(gitDirectory: string): Promise<readonly string[]> {
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
