/**
 * Determines which paths git ignores: by the project's rules on disk, or by those that an attempt left. A tracked path is
 * never ignored. In a project that git does not know, only `node_modules` is ignored.
 */
import { ok, type Result } from "../core/result.ts";
import { workspaceFailed } from "../core/workspace-failed.ts";
import { realPlace } from "../platform/files.ts";
import { openRepository, type RulesTree, runGit, runGitOver } from "../platform/git.ts";
import type { GitRepository } from "../platform/git-repository.ts";
import { pathPattern } from "../text/glob.ts";
import { pathFromBytes, pathToBytes } from "../text/path-bytes.ts";
import { lstatAt } from "./disk.ts";

/** A path to check; some rules apply to directories only. */
export interface PathToCheck {
  readonly path: string;
  readonly isDirectory: boolean;
}

const notIgnored = 1;

/** The rules of one project, for one attempt. */
export interface IgnoreRules {
  /** Starts checking paths early, before it is known which of them matter. */
  foresee(paths: readonly PathToCheck[]): void;
  /** The ignored paths that no glob of `include` matches. Fails with `workspace-failed` if git knows the project but fails. */
  ignored(paths: readonly PathToCheck[]): Promise<Result<ReadonlySet<string>>>;
  /** The same with the rules in `tree` instead of those on disk. */
  ignoredIn(tree: RulesTree, paths: readonly PathToCheck[]): Promise<Result<ReadonlySet<string>>>;
}

/** The rules for paths below `root`. `isKnown` returns whether git has rules for the project. */
export function openIgnoreRules(
  root: string,
  include: readonly string[],
  isKnown: () => Promise<boolean> = knownToGitCheck(root),
): IgnoreRules {
  const wanted = include.map(pathPattern);
  const ask = async (paths: readonly PathToCheck[], tree?: RulesTree): Promise<Result<readonly string[]>> => {
    if (paths.length === 0) return ok([]);
    const ignored = (await isKnown()) ? await ignoredByGit(root, paths, tree) : ok(installedPackages(paths));
    return ignored.ok ? ok([...ignored.value].filter((path) => !wanted.some((matches) => matches(path)))) : ignored;
  };
  let foreseen: { readonly kinds: ReadonlyMap<string, boolean>; readonly answer: Promise<Result<readonly string[]>> } | undefined;
  return {
    foresee(paths) {
      foreseen = { kinds: new Map(paths.map(({ path, isDirectory }) => [path, isDirectory])), answer: ask(paths) };
    },
    async ignored(paths) {
      const rest = paths.filter(({ path, isDirectory }) => foreseen?.kinds.get(path) !== isDirectory);
      const before: Result<readonly string[]> = foreseen === undefined ? ok([]) : await foreseen.answer;
      if (!before.ok) return before;
      const now = await ask(rest);
      if (!now.ok) return now;
      const known = new Set(paths.map(({ path }) => path));
      return ok(new Set([...before.value.filter((path) => known.has(path)), ...now.value]));
    },
    async ignoredIn(tree, paths) {
      const ignored = await ask(paths, tree);
      return ignored.ok ? ok(new Set(ignored.value)) : ignored;
    },
  };
}

/** Returns whether a repository has rules for the project. Caches a positive result: each check takes some milliseconds. */
export function knownToGitCheck(root: string): () => Promise<boolean> {
  let known = false;
  return async () => {
    const opened = await openRepository(root);
    // Wave may have stopped using git in this project since the last check.
    if (opened.kind !== "open") return false;
    known ||= await hasRules(root, opened.repository);
    return known;
  };
}

/** False if the repository ignores the project as a whole. */
async function hasRules(root: string, { top }: GitRepository): Promise<boolean> {
  if (realPlace(root) === top) return true;
  const [own, tracked] = await Promise.all([runGit(["check-ignore", "-q", "--no-index", "."], root), runGit(["ls-files", "-z"], root)]);
  return own.ok && (own.value.code === notIgnored || (tracked.ok && tracked.value.stdout.length > 0));
}

function installedPackages(paths: readonly PathToCheck[]): ReadonlySet<string> {
  return new Set(paths.map(({ path }) => path).filter((path) => path.split("/").includes("node_modules")));
}

async function ignoredByGit(root: string, paths: readonly PathToCheck[], tree?: RulesTree): Promise<Result<ReadonlySet<string>>> {
  const places = new Map<string, string[]>();
  const symlinks = new Map<string, string | undefined>();
  const checked = tree?.directory ?? root;
  for (const { path, isDirectory } of paths) {
    const isLink = isDirectory && lstatAt(checked, path)?.isSymbolicLink() === true;
    const place = symlinkAbove(checked, path, symlinks) ?? (isDirectory && !isLink ? `${path}/` : path);
    const group = places.get(place);
    if (group === undefined) places.set(place, [path]);
    else group.push(path);
  }
  // `./` protects paths that start with `:` or `-`.
  const input = Buffer.concat([...places.keys()].flatMap((place) => [Buffer.from("./"), pathToBytes(place), Buffer.from("\0")]));
  const args = ["check-ignore", "-z", "--stdin", "--no-index"];
  const found = tree === undefined ? await runGit(args, root, input) : await runGitOver(tree, args, root, input);
  // Without git the project counts as unknown to git.
  if (!found.ok) return found.error.reason === "spawn-failed" && found.error.code === "ENOENT" ? ok(installedPackages(paths)) : found;
  const { code, stdout, stderr } = found.value;
  if (code !== 0 && code !== notIgnored) return queryFailed(stderr);
  const matched = namesOf(stdout).map((name) => name.slice("./".length));
  if (matched.length === 0) return ok(new Set());
  const tracked = await runGit(["ls-files", "-z"], root);
  if (!tracked.ok || tracked.value.code !== 0) return queryFailed(tracked.ok ? tracked.value.stderr : "");
  const known = new Set(namesOf(tracked.value.stdout));
  return ok(new Set(matched.flatMap((place) => places.get(place) ?? []).filter((path) => !known.has(path))));
}

/** The symlink of the project above a path: git checks the symlink, and refuses paths behind it. */
function symlinkAbove(root: string, path: string, known: Map<string, string | undefined>): string | undefined {
  const slash = path.lastIndexOf("/");
  if (slash === -1) return undefined;
  const parent = path.slice(0, slash);
  if (known.has(parent)) return known.get(parent);
  const found = symlinkAbove(root, parent, known) ?? (lstatAt(root, parent)?.isSymbolicLink() === true ? parent : undefined);
  known.set(parent, found);
  return found;
}

function namesOf(output: Buffer): string[] {
  const names: string[] = [];
  for (let from = 0; from < output.length; ) {
    const end = output.indexOf(0, from);
    const until = end === -1 ? output.length : end;
    names.push(pathFromBytes(output.subarray(from, until)));
    from = until + 1;
  }
  return names;
}

function queryFailed(detail: string): Result<never> {
  return workspaceFailed("EGIT", `git cannot list ignored files: ${detail.trim()}`);
}
