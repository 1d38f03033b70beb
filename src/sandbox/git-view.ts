/**
 * Determines what a sandboxed child sees of git: the repository around or in the project, without credentials and hooks.
 * Masked copies of the configuration are mounted over the real ones.
 */

import { readlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gitConfigFiles, maskedGitConfig } from "../changeset/git-config.ts";
import { discoverRepository, trustedRepository } from "../platform/git.ts";
import { alternatesOf } from "../platform/git-alternates.ts";
import { namedGitPaths, nearestGitDirectories, repositoryDirectoriesOf } from "../platform/git-repository.ts";
import { type Link, linksOnWay } from "../platform/links.ts";
import { insideTest, isInside } from "../platform/paths.ts";
import { type GitEntry, gitEntriesIn } from "./repositories-in.ts";
import type { Bind } from "./view.ts";

export interface GitView {
  readonly binds: readonly Bind[];
  readonly masks: readonly string[];
  /** Git directories outside the project; absolute, none inside another. An isolated attempt writes to layers over them. */
  readonly layered: readonly string[];
  /** Links outside the project that git follows to reach its directories. */
  readonly linksOnPath: readonly Link[];
  /** The project is a subdirectory of the repository's work tree. */
  readonly isAround: boolean;
  /** Configuration files, the repositories they belong to, and the text to show instead. */
  readonly configs: readonly MaskedConfig[];
  /**
   * Every `.git` of the project and the git directories that they name there. Read-only for a step that runs in the
   * project itself.
   */
  readonly guarded: readonly string[];
  /** Every `.git` of the project that is a symlink, which no mount can protect, with its target. */
  readonly links: ReadonlyMap<string, string>;
}

interface MaskedConfig {
  readonly file: string;
  /** The git directory that it configures; undefined for the machine's own. */
  readonly repository?: string;
  readonly text: string;
}

/** The machine's own, which may contain tokens for its servers. */
const systemConfig = "/etc/gitconfig";

/** For a project without git, or a step that may not see it. */
export const noGit: GitView = {
  binds: [],
  masks: [],
  layered: [],
  linksOnPath: [],
  isAround: false,
  configs: [],
  guarded: [],
  links: new Map(),
};

/**
 * The view of the repository around `root` and of the repositories inside, as returned by `inside`. The rest of a larger
 * repository is visible read-only, because tools search it. A repository that git rejects (another user owns it, or git is
 * not installed) is masked too.
 */
export async function gitView(root: string, inside: () => Promise<readonly GitEntry[]>): Promise<GitView> {
  const opened = await trustedRepository(root);
  const { top = "", directory = "", common = "" } = opened.kind === "open" ? opened.repository : {};
  const ofProject = top === "" ? [] : [...new Set([common, directory])];
  const isAround = top !== "" && root !== top && isInside(top, root);
  const layered = topmost(ofProject.filter((git) => !isInside(root, git)));
  const elsewhere = layered.filter((git) => !isInside(top, git));
  const entries = await (isAround ? gitEntriesIn(top, () => false) : inside());
  const inProject = entries.filter(({ place }) => isInside(root, place));
  const named = entries
    .flatMap(({ place }) => repositoryDirectoriesOf(place))
    .filter((git) => isInside(root, git) || isInside(top || root, git));
  const plain = entries.flatMap(({ place, kind }) => (kind === "directory" ? [place] : []));
  const seen = [...new Set([...ofProject, ...plain, ...named])];
  const system = { file: systemConfig, text: textOf(systemConfig) };
  return {
    binds: [
      ...[...(isAround ? [top] : []), ...elsewhere].map((git) => ({ source: git, target: git, writable: false })),
      ...(common === "" ? [] : borrowedBy(common, [top, ...layered])),
    ],
    layered,
    linksOnPath: opened.kind === "open" ? linksTo(opened.repository.entry, [top, ...layered]) : [],
    isAround,
    masks: seen.map((git) => path.join(git, "hooks")),
    configs: [...maskConfigs(seen), ...(system.text === "" ? [] : [system])],
    guarded: guardedIn(root, [...inProject.flatMap(({ place, kind }) => (kind === "link" ? [] : [place])), ...named]),
    links: new Map(inProject.flatMap(({ place, kind }) => (kind === "link" ? [[place, readlinkSync(place)] as const] : []))),
  };
}

/**
 * The git directories outside `root` that git finds from inside, whether it trusts them or not: an attempt without a
 * sandbox could write to them.
 */
export async function reachableGit(root: string, inside: () => Promise<readonly GitEntry[]>): Promise<GitView> {
  const discovery = discoverRepository(root);
  const { top = root, common, directory } = discovery.kind === "found" ? discovery.repository : {};
  const around = common === undefined || directory === undefined ? nearestGitDirectories(root) : [common, directory];
  const entries = await inside();
  const named = [...around, ...entries.flatMap(({ place }) => repositoryDirectoriesOf(place))];
  const layered = topmost(named.filter((git) => !isInside(root, git)));
  return { ...noGit, layered, isAround: top !== root };
}

/**
 * Returns a predicate for paths in git directories that a `.git` in the project names, such as `store` for a `.git` file
 * with `gitdir: store`. Changesets exclude the files of repositories.
 */
export function repositoryFiles(root: string, entries: readonly GitEntry[]): (path: string) => boolean {
  const tests = topmost(entries.flatMap(({ place }) => repositoryDirectoriesOf(place))).map((git) => insideTest(root, git));
  return (file) => tests.some((test) => test(file));
}

/** Object directories outside `shown` that a repository and its submodules borrow from. */
function borrowedBy(repository: string, shown: readonly string[]): readonly Bind[] {
  const lenders = gitConfigFiles(repository).flatMap((file) => alternatesOf(path.join(repository, path.dirname(file), "objects")));
  const places = new Map(lenders.map((lender) => [lender.place, lender.source] as const));
  return [...places]
    .filter(([place]) => !shown.some((directory) => isInside(directory, place)))
    .map(([target, source]) => ({ source, target, writable: false }));
}

/** The links on the paths from a `.git` to its directories, except those inside `shown`. */
function linksTo(entry: string, shown: readonly string[]): readonly Link[] {
  const links = namedGitPaths(entry).flatMap(linksOnWay);
  const outside = links.filter(({ from }) => !shown.some((directory) => isInside(directory, from)));
  return [...new Map(outside.map((link) => [link.from, link] as const)).values()];
}

function topmost(places: readonly string[]): readonly string[] {
  const all = [...new Set(places)];
  return all.filter((place) => !all.some((other) => other !== place && isInside(other, place)));
}

/** The paths below `root`, without those inside another one. */
function guardedIn(root: string, places: readonly string[]): readonly string[] {
  return topmost(places.filter((place) => place !== root && isInside(root, place)));
}

/** Absolute paths that a view hides or replaces. */
export function maskedPlaces({ masks, configs }: GitView): readonly string[] {
  return [...masks, ...configs.map(({ file }) => file)];
}

/** The first `.git` that was a symlink and has changed since. */
export function replacedLink({ links }: GitView): string | undefined {
  for (const [place, target] of links) {
    try {
      if (readlinkSync(place) !== target) return place;
    } catch {
      return place;
    }
  }
  return undefined;
}

/** The part of the view for a step that may not read the whole project. */
export function readableGit(view: GitView, root: string, reads: (path: string) => boolean): GitView {
  const readsOwn = reads(".git/HEAD");
  const isSeen = ({ repository }: MaskedConfig) =>
    repository === undefined || (isInside(root, repository) ? reads(`${path.relative(root, repository)}/HEAD`) : readsOwn);
  return {
    ...view,
    configs: view.configs.filter(isSeen),
    ...(readsOwn ? {} : { binds: [], layered: [], linksOnPath: [], isAround: false }),
  };
}

/** Variables that git needs to find the repository: it stops at file system boundaries, and the project's tree is a mount. */
export function gitVariables({ isAround }: GitView): Readonly<Record<string, string>> {
  return isAround ? { GIT_DISCOVERY_ACROSS_FILESYSTEM: "1" } : {};
}

/** The binds of an attempt. Writes the masked configurations into `directory`. Throws file system errors. */
export function gitBinds({ binds, configs }: GitView, directory: string): readonly Bind[] {
  const masked = configs.map(({ file, text }, index): Bind => {
    const source = path.join(directory, `git-config.${index}`);
    writeFileSync(source, text);
    return { source, target: file, writable: false, isFile: true };
  });
  return [...binds, ...masked];
}

function maskConfigs(repositories: readonly string[]): readonly MaskedConfig[] {
  const configs = new Map<string, MaskedConfig>();
  for (const repository of repositories) {
    for (const name of gitConfigFiles(repository)) {
      const file = path.join(repository, name);
      if (!configs.has(file)) configs.set(file, { file, repository, text: textOf(file) });
    }
  }
  return [...configs.values()];
}

/** Empty if git cannot read the file or is not installed: then no program needs it. */
function textOf(file: string): string {
  const text = maskedGitConfig(file);
  return text.ok ? text.value : "";
}
