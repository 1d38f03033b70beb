/**
 * Which paths git ignores: by the rules of the project on disk, and by those that an attempt left. A tracked path is never ignored.
 * In a project that git does not know, only `node_modules` is ignored.
 */

import { ok, type Result } from "../core/result.ts";
import { realPlace } from "../platform/files.ts";
import { openRepository, type RulesTree, runGit, runGitOver } from "../platform/git.ts";
import type { GitRepository } from "../platform/git-repository.ts";
import { pathPattern } from "../text/glob.ts";
import { pathFromBytes, pathToBytes } from "../text/path-bytes.ts";
import { lstatAt } from "./disk.ts";

/** A path to ask about; rules may be for directories only. */
export interface AskedPath {
  readonly path: string;
  readonly isDirectory: boolean;
}

const notIgnored = 1;

/** The rules of one project, asked for one attempt. */
export interface IgnoreRules {
  /** Asks about paths before it is known which of them matter, while something else goes on. */
  foresee(asked: readonly AskedPath[]): void;
  /** The paths that are ignored and that no glob of `include` matches. Fails with `workspace-failed` when git knows the project but does not answer. */
  ignored(asked: readonly AskedPath[]): Promise<Result<ReadonlySet<string>>>;
  /** The same by the rules in `tree`, in place of those on disk. */
  ignoredIn(tree: RulesTree, asked: readonly AskedPath[]): Promise<Result<ReadonlySet<string>>>;
}

/** The rules for paths below `root`. `isKnown` says whether git knows such rules. */
export function openIgnoreRules(
  root: string,
  include: readonly string[],
  isKnown: () => Promise<boolean> = askWhetherKnown(root),
): IgnoreRules {
  const wanted = include.map(pathPattern);
  const ask = async (asked: readonly AskedPath[], tree?: RulesTree): Promise<Result<readonly string[]>> => {
    if (asked.length === 0) return ok([]);
    const ignored = (await isKnown()) ? await ignoredByGit(root, asked, tree) : ok(installedPackages(asked));
    return ignored.ok ? ok([...ignored.value].filter((path) => !wanted.some((matches) => matches(path)))) : ignored;
  };
  let foreseen: { readonly kinds: ReadonlyMap<string, boolean>; readonly answer: Promise<Result<readonly string[]>> } | undefined;
  return {
    foresee(asked) {
      foreseen = { kinds: new Map(asked.map(({ path, isDirectory }) => [path, isDirectory])), answer: ask(asked) };
    },
    async ignored(asked) {
      const rest = asked.filter(({ path, isDirectory }) => foreseen?.kinds.get(path) !== isDirectory);
      const before: Result<readonly string[]> = foreseen === undefined ? ok([]) : await foreseen.answer;
      if (!before.ok) return before;
      const now = await ask(rest);
      if (!now.ok) return now;
      const known = new Set(asked.map(({ path }) => path));
      return ok(new Set([...before.value.filter((path) => known.has(path)), ...now.value]));
    },
    async ignoredIn(tree, asked) {
      const ignored = await ask(asked, tree);
      return ignored.ok ? ok(new Set(ignored.value)) : ignored;
    },
  };
}

/** Whether a repository has rules for the project. A yes is asked for once: each answer costs some milliseconds. */
export function askWhetherKnown(root: string): () => Promise<boolean> {
  let known = false;
  return async () => {
    const opened = await openRepository(root);
    // Git may have been left since the last answer.
    if (opened.kind !== "open") return false;
    known ||= await hasRules(root, opened.repository);
    return known;
  };
}

/** Not if the repository ignores the project as a whole. */
async function hasRules(root: string, { top }: GitRepository): Promise<boolean> {
  if (realPlace(root) === top) return true;
  const [own, tracked] = await Promise.all([runGit(["check-ignore", "-q", "--no-index", "."], root), runGit(["ls-files", "-z"], root)]);
  return own.ok && (own.value.code === notIgnored || (tracked.ok && tracked.value.stdout.length > 0));
}

function installedPackages(asked: readonly AskedPath[]): ReadonlySet<string> {
  return new Set(asked.map(({ path }) => path).filter((path) => path.split("/").includes("node_modules")));
}

async function ignoredByGit(root: string, asked: readonly AskedPath[], tree?: RulesTree): Promise<Result<ReadonlySet<string>>> {
  const places = new Map<string, string[]>();
  const symlinks = new Map<string, string | undefined>();
  const looked = tree?.directory ?? root;
  for (const { path, isDirectory } of asked) {
    const isLink = isDirectory && lstatAt(looked, path)?.isSymbolicLink() === true;
    const place = symlinkAbove(looked, path, symlinks) ?? (isDirectory && !isLink ? `${path}/` : path);
    const paths = places.get(place);
    if (paths === undefined) places.set(place, [path]);
    else paths.push(path);
  }
  // `./`: a path that begins with `:` or `-` is one all the same.
  const input = Buffer.concat([...places.keys()].flatMap((place) => [Buffer.from("./"), pathToBytes(place), Buffer.from("\0")]));
  const words = ["check-ignore", "-z", "--stdin", "--no-index"];
  const found = tree === undefined ? await runGit(words, root, input) : await runGitOver(tree, words, root, input);
  // Without git the project counts as one that git does not know.
  if (!found.ok) return found.error.reason === "spawn-failed" && found.error.code === "ENOENT" ? ok(installedPackages(asked)) : found;
  const { code, stdout, stderr } = found.value;
  if (code !== 0 && code !== notIgnored) return failed(stderr);
  const matched = namesOf(stdout).map((name) => name.slice("./".length));
  if (matched.length === 0) return ok(new Set());
  const tracked = await runGit(["ls-files", "-z"], root);
  if (!tracked.ok || tracked.value.code !== 0) return failed(tracked.ok ? tracked.value.stderr : "");
  const known = new Set(namesOf(tracked.value.stdout));
  return ok(new Set(matched.flatMap((place) => places.get(place) ?? []).filter((path) => !known.has(path))));
}

/** The symlink of the project that lies above a path: git answers for it, and refuses to look beyond. */
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

function failed(detail: string): Result<never> {
  return { ok: false, error: { reason: "workspace-failed", code: "EGIT", detail: `git does not say what it ignores: ${detail.trim()}` } };
}
