/** Finds a project's directory in its repository, because reports name files relative to the repository. */

import path from "node:path";
import { realPlace } from "../platform/files.ts";
import { discoverRepository } from "../platform/git.ts";
import { isInside, relativeInside } from "../platform/paths.ts";

export interface RepositoryPlace {
  /** Root of the repository, absolute and without symbolic links. */
  readonly top: string;
  /** The project's directory relative to `top`: empty, or ending in `/`. */
  readonly prefix: string;
}

/**
 * Locates the project at `root` by git's top level, because a checkout can be anywhere in GITHUB_WORKSPACE. A submodule
 * counts as part of the repository that contains it. Without a repository, `workspace` is the top.
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
