/**
 * What a fenced child sees of git: the repository that the project is or lies in, without credentials and without hooks. Masked
 * configurations are laid over the real ones.
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
  /** Git directories outside the project, absolute, none inside another: an isolated attempt writes to layers over them. */
  readonly layered: readonly string[];
  /** Links outside the project by which git gets to its directories. */
  readonly ways: readonly Link[];
  /** The project is a part of the repository, whose place lies around it. */
  readonly isAround: boolean;
  /** Configurations, of which repository, and what to show in their place. */
  readonly configs: readonly MaskedConfig[];
  /** Every `.git` of the project and the git directories that one names there: read-only for a step that runs in the project itself. */
  readonly guarded: readonly string[];
  /** Every `.git` of the project that is a symbolic link, which no mount can protect, with its target. */
  readonly links: ReadonlyMap<string, string>;
}

interface MaskedConfig {
  readonly file: string;
  /** The directory of git that it configures; nothing for the machine's own. */
  readonly repository?: string;
  readonly text: string;
}

/** The machine's own, which may hold tokens for its servers. */
const systemConfig = "/etc/gitconfig";

/** A project without git, or of which a step may not see it. */
export const noGit: GitView = { binds: [], masks: [], layered: [], ways: [], isAround: false, configs: [], guarded: [], links: new Map() };

/**
 * The view of the repository around `root`, and of those inside it, which `inside` finds. Where the project is a part of a larger repository, the rest of that is there,
 * read-only: tools look for it. What git does not take for a repository (it is somebody else's, or there is no git) is masked all the same.
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
    ways: opened.kind === "open" ? waysOf(opened.repository.entry, [top, ...layered]) : [],
    isAround,
    masks: seen.map((git) => path.join(git, "hooks")),
    configs: [...maskConfigs(seen), ...(system.text === "" ? [] : [system])],
    guarded: guardedIn(root, [...inProject.flatMap(({ place, kind }) => (kind === "link" ? [] : [place])), ...named]),
    links: new Map(inProject.flatMap(({ place, kind }) => (kind === "link" ? [[place, readlinkSync(place)] as const] : []))),
  };
}

/**
 * The git directories outside `root` that git finds from inside it, whether it trusts them or not: what an attempt without a sandbox could
 * write to.
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
 * Whether a path of the project belongs to a git directory that some `.git` in it leads to, such as `store` of a `.git` file with
 * `gitdir: store`: the repository's own files are left out of changesets.
 */
export function repositoryFiles(root: string, entries: readonly GitEntry[]): (path: string) => boolean {
  const tests = topmost(entries.flatMap(({ place }) => repositoryDirectoriesOf(place))).map((git) => insideTest(root, git));
  return (file) => tests.some((test) => test(file));
}

/** Object directories that a repository and its submodules borrow from, except those below `shown`. */
function borrowedBy(repository: string, shown: readonly string[]): readonly Bind[] {
  const lenders = gitConfigFiles(repository).flatMap((file) => alternatesOf(path.join(repository, path.dirname(file), "objects")));
  const places = new Map(lenders.map((lender) => [lender.place, lender.source] as const));
  return [...places]
    .filter(([place]) => !shown.some((directory) => isInside(directory, place)))
    .map(([target, source]) => ({ source, target, writable: false }));
}

/** The links on the ways from a `.git` to its directories, except those in directories that are shown. */
function waysOf(entry: string, shown: readonly string[]): readonly Link[] {
  const links = namedGitPaths(entry).flatMap(linksOnWay);
  const outside = links.filter(({ from }) => !shown.some((directory) => isInside(directory, from)));
  return [...new Map(outside.map((link) => [link.from, link] as const)).values()];
}

function topmost(places: readonly string[]): readonly string[] {
  const all = [...new Set(places)];
  return all.filter((place) => !all.some((other) => other !== place && isInside(other, place)));
}

/** The places in `root`, without those inside another one. */
function guardedIn(root: string, places: readonly string[]): readonly string[] {
  return topmost(places.filter((place) => place !== root && isInside(root, place)));
}

/** Absolute paths of which a view shows nothing, or something else than the machine has. */
export function maskedPlaces({ masks, configs }: GitView): readonly string[] {
  return [...masks, ...configs.map(({ file }) => file)];
}

/** The first `.git` that is no longer the symbolic link it was. */
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

/** What of it a step sees that may not read all of the project. */
export function readableGit(view: GitView, root: string, reads: (path: string) => boolean): GitView {
  const readsOwn = reads(".git/HEAD");
  const isSeen = ({ repository }: MaskedConfig) =>
    repository === undefined || (isInside(root, repository) ? reads(`${path.relative(root, repository)}/HEAD`) : readsOwn);
  return { ...view, configs: view.configs.filter(isSeen), ...(readsOwn ? {} : { binds: [], layered: [], ways: [], isAround: false }) };
}

/** The variables with which git finds it: it does not look past the edge of a file system, and the project's tree is one. */
export function gitVariables({ isAround }: GitView): Readonly<Record<string, string>> {
  return isAround ? { GIT_DISCOVERY_ACROSS_FILESYSTEM: "1" } : {};
}

/** What an attempt binds of it. The masked configurations are written into a directory of its own. Throws the file system's errors. */
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

/** Nothing where git cannot read it, or is not there: then nobody else needs it. */
function textOf(file: string): string {
  const text = maskedGitConfig(file);
  return text.ok ? text.value : "";
}
