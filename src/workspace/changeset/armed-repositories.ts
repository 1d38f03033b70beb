/**
 * Finds directories that a changeset would turn into repositories with programs of their own. Git takes a directory with `HEAD`, `objects`
 * and `refs` for a repository, so the next git that a person starts there would run what its `config` or `hooks` name.
 */
import { fsPath, isGitName } from "../../model/path-bytes.ts";
import { readSmall } from "../../platform/git-repository.ts";
import { below } from "./disk.ts";
import type { EndTree } from "./end-trees.ts";
import { hasHarmlessSettings } from "./git-config.ts";

/** The largest configuration that is read, in bytes. */
const largest = 4 * 1024 * 1024;

/**
 * The first of these directories, relative, empty for the root. `changed` are the paths that the attempt changed; `root` is the project, which
 * holds the files that it left alone. Undefined if there is none.
 */
export function armedRepository(changed: readonly string[], end: EndTree, root: string): string | undefined {
  return [...new Set(changed.flatMap(repositoriesOf))].sort().find((directory) => isArmed(directory, end, root));
}

/** The directories that a path would be a part of, if they were repositories. */
function repositoriesOf(path: string): string[] {
  const names = path.split("/");
  return names.flatMap((name, at) => (/^(?:head|objects|refs|config|hooks)$/i.test(name) ? [names.slice(0, at).join("/")] : []));
}

function isArmed(directory: string, end: EndTree, root: string): boolean {
  if (directory.split("/").some(isGitName)) return false;
  const names = end.endNames(directory);
  const named = (wanted: string) => names.find((name) => name.toLowerCase() === wanted);
  if (["head", "objects", "refs"].some((name) => named(name) === undefined)) return false;
  const hooks = named("hooks");
  if (hooks !== undefined && end.endNames(below(directory, hooks)).length > 0) return true;
  const config = named("config");
  if (config === undefined) return false;
  const path = below(directory, config);
  const text = readSmall(fsPath(end.look(path) === "same" ? root : end.directory, path), largest)?.toString();
  return text === undefined || !hasHarmlessSettings(text);
}
