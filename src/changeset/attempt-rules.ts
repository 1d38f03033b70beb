/**
 * The ignore rules of an attempt's tree: its `.gitignore` files, together with those above the project. Git reads them
 * from a private directory that contains nothing else, so it reads no file that a step wrote. `.git/info/exclude` and
 * `core.excludesFile` are the project's and the user's, whatever an attempt wrote to its `.git`.
 */
import { lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Changeset } from "../core/changeset.ts";
import type { BlobStore } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { realPlace } from "../platform/files.ts";
import { openRepository, type RulesTree } from "../platform/git.ts";
import { readSmall } from "../platform/git-repository.ts";
import { fsPath } from "../text/path-bytes.ts";
import { parentsOf } from "./combine-changes.ts";
import { below, grantOwnerAccess, lstatAt, type RestoreList } from "./disk.ts";
import type { EndTree } from "./end-trees.ts";
import type { FoundChanges } from "./find-changes.ts";
import type { PathToCheck } from "./ignored-paths.ts";
import type { StartTree } from "./start-tree.ts";

const ruleFile = ".gitignore";

/** Larger rule files do not count. A generated list of 10,000 paths has less than 1 MiB. */
const mostRuleBytes = 4 * 1024 * 1024;

/** An attempt's tree, and the tree it is compared with. */
export interface RulesRequest {
  /** The project's directory, absolute. */
  readonly root: string;
  readonly start: StartTree;
  readonly end: EndTree;
  readonly found: FoundChanges;
  readonly blobs: BlobStore;
  readonly widened: RestoreList;
}

/** Whether the attempt, or a step that it builds on, changed a `.gitignore`. */
export function hasOwnRules(found: FoundChanges, start: Changeset): boolean {
  for (const file of found.entries.keys()) if (isRuleFile(file)) return true;
  return start.some((entry) => isRuleFile(entry.path));
}

/**
 * Writes the rules that apply to `paths` into a directory, calls `ask` with it, and removes it. Fails like `ask` and like
 * reading blobs. Throws file system errors.
 */
export async function withRulesOf<T>(
  request: RulesRequest,
  paths: readonly PathToCheck[],
  ask: (tree: RulesTree) => Promise<Result<T>>,
): Promise<Result<T>> {
  const top = mkdtempSync(path.join(tmpdir(), "wave-rules-"));
  try {
    const directory = path.join(top, await layOutOuterRules(request.root, top));
    mkdirSync(directory, { recursive: true });
    const laid = await layOutRules(request, directoriesOf(paths), directory);
    return laid.ok ? await ask({ top, directory }) : laid;
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

/**
 * Copies the rules of the directories above the project, which an attempt cannot write. Returns the project's path from
 * the repository's top.
 */
async function layOutOuterRules(root: string, directory: string): Promise<string> {
  const opened = await openRepository(root);
  const inside = opened.kind === "open" ? path.relative(opened.repository.top, realPlace(root) ?? root) : "";
  if (opened.kind !== "open" || inside === "" || inside.startsWith("..")) return "";
  const names = inside.split(path.sep);
  for (const depth of names.keys()) {
    const above = names.slice(0, depth).join(path.sep);
    const file = path.join(opened.repository.top, above, ruleFile);
    const rules = lstatSync(file, { throwIfNoEntry: false })?.isFile() === true ? readSmall(file, mostRuleBytes) : undefined;
    if (rules === undefined) continue;
    mkdirSync(path.join(directory, above), { recursive: true });
    writeFileSync(path.join(directory, above, ruleFile), rules);
  }
  return inside;
}

async function layOutRules(request: RulesRequest, directories: ReadonlySet<string>, target: string): Promise<Result<void>> {
  for (const directory of directories) {
    const rules = await rulesIn(request, below(directory, ruleFile));
    if (!rules.ok) return rules;
    if (rules.value === undefined) continue;
    mkdirSync(fsPath(target, directory), { recursive: true });
    writeFileSync(fsPath(target, below(directory, ruleFile)), rules.value);
  }
  return ok(undefined);
}

/** The bytes of a `.gitignore` at the end of the attempt. Symlinks do not count, as in git since 2.32. */
async function rulesIn(request: RulesRequest, file: string): Promise<Result<Uint8Array | undefined>> {
  const { root, start, end, found, blobs, widened } = request;
  const entry = found.entries.get(file);
  if (entry !== undefined) {
    if (entry.kind !== "file") return ok(undefined);
    grantOwnerAccess(end.directory, file, entry.stats, widened);
    return ok(readSmall(fsPath(end.directory, file), mostRuleBytes));
  }
  const node = start.at(file);
  if (node.kind === "kept") {
    const isRules = "digest" in node.state && node.state.mode !== "120000" && node.state.size <= mostRuleBytes;
    return isRules ? blobs.get(node.state.digest) : ok(undefined);
  }
  const isFile = node.kind === "disk" && lstatAt(root, file)?.isFile() === true;
  return ok(isFile ? readSmall(fsPath(root, file), mostRuleBytes) : undefined);
}

function directoriesOf(paths: readonly PathToCheck[]): ReadonlySet<string> {
  const directories = new Set([""]);
  for (const { path: file } of paths) for (const parent of parentsOf(file)) directories.add(parent);
  return directories;
}

function isRuleFile(file: string): boolean {
  return file === ruleFile || file.endsWith(`/${ruleFile}`);
}
