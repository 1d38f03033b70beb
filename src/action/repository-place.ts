/** Where a project is in its repository: reports name files as the repository does. */

import path from "node:path";
import { realPlace } from "../platform/files.ts";
import { discoverRepository } from "../platform/git.ts";
import { isInside, relativeInside } from "../platform/paths.ts";

export interface RepositoryPlace {
  /** Of the repository's files, absolute and without symbolic links. */
  readonly top: string;
  /** The project's directory relative to `top`: empty, or ending in `/`. */
  readonly prefix: string;
}

/**
 * The place of the project at `root`, by git's top level: a checkout can be anywhere below GITHUB_WORKSPACE. A submodule belongs to the repository around
 * it, whose job this is. Without a repository, `workspace` is the top.
 */
export function repositoryPlace(root: string, workspace: string): RepositoryPlace {
  const real = realPlace(root) ?? root;
  const top = repositoryTop(real) ?? realPlace(workspace) ?? workspace;
  const below = relativeInside(top, real) ?? "";
  return { top, prefix: below === "" ? "" : `${below}/` };
}

function repositoryTop(directory: string): string | undefined {
  const discovery = discoverRepository(directory);
  if (discovery.kind !== "found") return undefined;
  const { top, directory: gitDirectory } = discovery.repository;
  const around = discoverRepository(path.dirname(top));
  const isSubmodule = around.kind === "found" && isInside(path.join(around.repository.directory, "modules"), gitDirectory);
  return isSubmodule ? (repositoryTop(path.dirname(top)) ?? top) : top;
}
