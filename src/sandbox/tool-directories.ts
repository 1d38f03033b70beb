/**
 * Finds the directories of PATH and of Node outside the system's own that a sandboxed child sees: programs that users
 * install for themselves. Libraries, and sometimes credentials, are next to them, so only known tools are shown whole.
 */

import { existsSync } from "node:fs";
import path from "node:path";
import { realPlace } from "../platform/files.ts";
import { isInside } from "../platform/paths.ts";

/** The inputs of the search. `project`, `home` and the directories around them are never shown as tools. */
export interface ToolPlaces {
  /** A PATH. */
  readonly searchPath: string;
  readonly home: string | undefined;
  readonly project: string;
  /** Directories in which version managers keep what they installed, as returned by `toolStores`. */
  readonly stores?: readonly string[];
  /** Paths in `/etc` that the manifest adds. */
  readonly etc?: readonly string[];
}

/** Parts of `PREFIX` that programs in `PREFIX/bin` need. `etc` and files directly in `PREFIX` may contain credentials. */
const parts = ["bin", "sbin", "lib", "lib64", "libexec", "share", "include"];

/** Directories in a home that belong to version managers and contain nothing else. Their programs use all of them. */
const switchers = new Set(
  ".pyenv .rbenv .nodenv .goenv .jenv .plenv .asdf .nvm .fnm .volta .nodebrew .bun .deno .rustup .sdkman .nix-profile .linuxbrew".split(
    " ",
  ),
);

/** The directories to show. All exist. */
export function toolDirectories({ searchPath, home, project, stores = [] }: ToolPlaces): readonly string[] {
  const found: string[] = [...stores];
  for (const entry of [...searchPath.split(":"), path.dirname(process.execPath)]) {
    if (!path.isAbsolute(entry) || !existsSync(entry)) continue;
    for (const directory of new Set([path.normalize(entry).replace(/(?<=.)\/$/, ""), realPlace(entry) ?? entry]))
      found.push(...around(directory, home));
  }
  const contains = (directory: string, place: string | undefined) => place !== undefined && isInside(directory, place);
  return [...new Set(found)].filter(
    (directory) => directory !== "/" && !contains(directory, home) && !contains(directory, project) && existsSync(directory),
  );
}

/** A directory of programs, and the directories around it that they need. */
function around(directory: string, home: string | undefined): readonly string[] {
  const prefix = path.dirname(directory);
  if (!["bin", "sbin", "shims"].includes(path.basename(directory))) return [directory];
  // Cargo's programs are links into what rustup installed; credentials are next to them.
  if (path.basename(prefix) === ".cargo") return [directory, path.join(path.dirname(prefix), ".rustup")];
  if (prefix === home || prefix.split("/").length < 3) return [directory];
  if (prefix.split("/").some((segment) => switchers.has(segment)) || isToolchain(prefix)) return [prefix];
  return parts.map((part) => path.join(prefix, part));
}

/** Whether this is the root of a JDK or of Go, whose programs need more than the usual libraries. */
function isToolchain(prefix: string): boolean {
  const has = (name: string) => existsSync(path.join(prefix, name));
  return (has("release") && has("lib")) || (has("VERSION") && has("pkg"));
}
