/**
 * The directories of PATH, and of Node, that a fenced child sees although they lie outside of the system's own: programs that users install for
 * themselves. Beside those lie libraries, and sometimes credentials, so only what is known to be a tool is shown whole.
 */

import { existsSync } from "node:fs";
import path from "node:path";
import { realPlace } from "../platform/files.ts";
import { isInside } from "../platform/paths.ts";

/** What a search takes place in. `project` and `home` are never shown as tools, nor anything around them. */
export interface ToolPlaces {
  /** A PATH. */
  readonly searchPath: string;
  readonly home: string | undefined;
  readonly project: string;
  /** Directories in which version managers keep what they installed, as `toolStores` returns them. */
  readonly stores?: readonly string[];
  /** Paths in `/etc` that the manifest adds. */
  readonly etc?: readonly string[];
}

/** Parts of `PREFIX` that programs in `PREFIX/bin` need; `etc` and what lies directly in it may hold credentials. */
const parts = ["bin", "sbin", "lib", "lib64", "libexec", "share", "include"];

/** Directories in a home that version switchers keep, and that hold nothing else: their programs lead all over them. */
const switchers = new Set(
  ".pyenv .rbenv .nodenv .goenv .jenv .plenv .asdf .nvm .fnm .volta .nodebrew .bun .deno .rustup .sdkman .nix-profile .linuxbrew".split(
    " ",
  ),
);

/** The directories to show, existing ones only. */
export function toolDirectories({ searchPath, home, project, stores = [] }: ToolPlaces): readonly string[] {
  const found: string[] = [...stores];
  for (const entry of [...searchPath.split(":"), path.dirname(process.execPath)]) {
    if (!path.isAbsolute(entry) || !existsSync(entry)) continue;
    for (const directory of new Set([path.normalize(entry).replace(/(?<=.)\/$/, ""), realPlace(entry) ?? entry]))
      found.push(...around(directory, home));
  }
  const holds = (directory: string, place: string | undefined) => place !== undefined && isInside(directory, place);
  return [...new Set(found)].filter(
    (directory) => directory !== "/" && !holds(directory, home) && !holds(directory, project) && existsSync(directory),
  );
}

/** A directory of programs, and what of its surroundings they need. */
function around(directory: string, home: string | undefined): readonly string[] {
  const prefix = path.dirname(directory);
  if (!["bin", "sbin", "shims"].includes(path.basename(directory))) return [directory];
  // Cargo's programs are links into what rustup installs; credentials lie beside them.
  if (path.basename(prefix) === ".cargo") return [directory, path.join(path.dirname(prefix), ".rustup")];
  if (prefix === home || prefix.split("/").length < 3) return [directory];
  if (prefix.split("/").some((segment) => switchers.has(segment)) || isToolchain(prefix)) return [prefix];
  return parts.map((part) => path.join(prefix, part));
}

/** The roots of a JDK and of Go, whose programs look for more beside them than libraries. */
function isToolchain(prefix: string): boolean {
  const has = (name: string) => existsSync(path.join(prefix, name));
  return (has("release") && has("lib")) || (has("VERSION") && has("pkg"));
}
