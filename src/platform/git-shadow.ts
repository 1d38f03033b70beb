/**
 * Shadow repositories: private git directories that replace a repository's when Wave runs git. A shadow has a HEAD, a configuration with a
 * few harmless settings and the repository's `info/exclude`; it uses the repository's index and objects. It has none of the repository's
 * hooks, filters, file system monitors, drivers, includes, remotes and attributes, so git cannot run a program that they name.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { devNull, tmpdir } from "node:os";
import path from "node:path";
import { type GitRepository, readSmall } from "./git-repository.ts";
import { entriesBelow, entriesIn, type WalkedEntry } from "./walk.ts";

/** The largest `info/exclude` that is copied, in bytes. */
const excludeBytes = 4 * 1024 * 1024;

/** Shadows by everything that they are made from; removed when the process ends. */
const shadows = new Map<string, string>();
const temporary = new Set<string>();
let cleans = false;

/** HEAD of a shadow: no command that runs there needs the checked-out commit. */
const unbornHead = "ref: refs/heads/none\n";

/** Creates a temporary directory that is removed when the process ends. Throws the file system's errors. */
export function temporaryGitDirectory(name: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), name));
  temporary.add(directory);
  if (!cleans) {
    cleans = true;
    process.once("exit", removeTemporaryGitDirectories);
  }
  return directory;
}

/** Removes the directories of this process. Several times faster than a recursive `rmSync`, which would delay the end of every command. */
export function removeTemporaryGitDirectories(): void {
  for (const directory of temporary) remove(directory);
  temporary.clear();
  shadows.clear();
}

function remove(directory: string): void {
  try {
    const leave = ({ path: place }: WalkedEntry) => rmdirSync(path.join(directory, place));
    for (const { path: place, kind } of entriesBelow(directory, { leave }))
      if (kind !== "directory") unlinkSync(path.join(directory, place));
    rmdirSync(directory);
  } catch {
    // Another program may have cleaned the machine's temporary directory.
  }
}

/** The variables that make git use only a repository's shadow. Throws the file system's errors. */
export function shadowVariables(repository: GitRepository): Readonly<Record<string, string>> {
  const { top, directory, common } = repository;
  return {
    ...hardenedVariables(shadowOf(repository)),
    GIT_WORK_TREE: top,
    GIT_INDEX_FILE: path.join(directory, "index"),
    GIT_OBJECT_DIRECTORY: path.join(common, "objects"),
  };
}

/** The variables for git without a repository: it only reads and writes in `directory`, made by `layOutGitDirectory`. */
export function aloneVariables(directory: string): Readonly<Record<string, string>> {
  return { ...hardenedVariables(directory), GIT_WORK_TREE: directory, GIT_INDEX_FILE: path.join(directory, "index") };
}

/** Makes `directory` an empty repository with an object format (defaults to sha1). Throws the file system's errors. */
export function layOutGitDirectory(
  directory: string,
  { objectFormat }: Pick<GitRepository, "objectFormat"> = { objectFormat: "sha1" },
): void {
  mkdirSync(path.join(directory, "objects"));
  layOut(directory, { objectFormat, refFormat: "files", settings: {} });
}

function layOut(directory: string, formats: Pick<GitRepository, "objectFormat" | "refFormat" | "settings">): void {
  mkdirSync(path.join(directory, "refs"));
  writeFileSync(path.join(directory, "HEAD"), unbornHead);
  writeFileSync(path.join(directory, "config"), configOf(formats));
}

function configOf({ objectFormat, refFormat, settings }: Pick<GitRepository, "objectFormat" | "refFormat" | "settings">): string {
  const extensions = [
    ...(objectFormat === "sha1" ? [] : [`\tobjectFormat = ${objectFormat}`]),
    ...(refFormat === "files" ? [] : [`\trefStorage = ${refFormat}`]),
  ];
  return [
    "[core]",
    `\trepositoryFormatVersion = ${extensions.length === 0 ? 0 : 1}`,
    "\tbare = false",
    "\tquotePath = false",
    `\thooksPath = ${devNull}`,
    `\tattributesFile = ${devNull}`,
    ...Object.entries(settings).map(([name, value]) => `\t${name} = ${value}`),
    ...(extensions.length === 0 ? [] : ["[extensions]", ...extensions]),
    "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[protocol]\n\tallow = never\n",
  ].join("\n");
}

/** The variables for a git directory of Wave: only its own configuration, and no attributes, programs or protocols. */
export function hardenedVariables(directory: string): Readonly<Record<string, string>> {
  return {
    GIT_DIR: directory,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    // Git before 2.32 has no variable to disable the user's configuration.
    HOME: directory,
    XDG_CONFIG_HOME: directory,
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
    GIT_NO_LAZY_FETCH: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_ALLOW_PROTOCOL: "none",
    GIT_PAGER: "cat",
    LC_ALL: "C",
  };
}

/** The shadow's GIT_DIR, created on first use. */
function shadowOf(repository: GitRepository): string {
  const { directory, common } = repository;
  const listed = readSmall(path.join(common, "info", "exclude"), excludeBytes)?.toString() ?? "";
  // The template of `git init` has only comments.
  const exclude = /^(?!#)./m.test(listed) ? listed : "";
  const key = JSON.stringify([repository, exclude]);
  const shadow = shadows.get(key) ?? makeShadow(repository, exclude);
  shadows.set(key, shadow);
  copySharedIndexes(directory, shadow);
  return shadow;
}

function makeShadow(repository: GitRepository, exclude: string): string {
  const { directory, common, refFormat } = repository;
  const shadow = temporaryGitDirectory("wave-git-");
  layOut(shadow, repository);
  if (exclude !== "") {
    mkdirSync(path.join(shadow, "info"));
    writeFileSync(path.join(shadow, "info", "exclude"), exclude);
  }
  // Wave itself reads references from files; for tables it runs git.
  if (refFormat === "files") return shadow;
  symlinkSync(path.join(common, "reftable"), path.join(shadow, "reftable"));
  if (directory === common) return shadow;
  const ofWorkTree = path.join(shadow, "worktrees", "w");
  mkdirSync(ofWorkTree, { recursive: true });
  writeFileSync(path.join(ofWorkTree, "HEAD"), unbornHead);
  writeFileSync(path.join(ofWorkTree, "commondir"), "../..\n");
  symlinkSync(path.join(directory, "reftable"), path.join(ofWorkTree, "reftable"));
  return ofWorkTree;
}

/** Copies the other part of a split index, which git reads from its GIT_DIR. */
function copySharedIndexes(directory: string, shadow: string): void {
  for (const { name, kind } of entriesIn(directory)) {
    const copy = path.join(shadow, name);
    if (kind === "file" && name.startsWith("sharedindex.") && !existsSync(copy)) copyFileSync(path.join(directory, name), copy);
  }
}
