/**
 * Writes into an overlay from outside: what is to come is laid out beside it, and the machine's own programs take it over in a view in which
 * the overlay is mounted, so that the kernel keeps the layers consistent.
 */
import { mkdirSync } from "node:fs";
import { parentsOf } from "../changeset/combine-changes.ts";
import { removeTree } from "../changeset/remove-tree.ts";
import type { TreeEntry } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { changeInView, listed, lookAt } from "./inspect.ts";
import type { Isolation } from "./isolation.ts";
import type { Tree } from "./view.ts";
import { putLeaves } from "./write-area.ts";

export interface ViewWriting {
  readonly isolation: Isolation;
  readonly project: string;
  readonly tree: Tree;
  /** Where leaves are laid out meanwhile; absolute, in the attempt's own room. */
  readonly draft: string;
}

/**
 * Each word is a path with a letter before it: `r` to be removed, `d` a directory to be, `e` to be removed if it is empty. A path that leads through a
 * symlink is passed over: here it would lead to the machine's own files.
 */
const clearing = [
  "root=$(pwd -P)",
  "for word; do",
  "  file=${word#?} parent=${word#?}",
  "  parent=${parent%/*}",
  '  [ "$parent" = "${word#?}" ] || [ "$(realpath -e -- "$parent" 2>/dev/null)" = "$root/$parent" ] || continue',
  "  case $word in",
  '    r*) rm -rf -- "./$file" || exit ;;',
  '    d*) { [ -d "./$file" ] && [ ! -L "./$file" ]; } || rm -rf -- "./$file" || exit ;;',
  '    e*) rmdir -- "./$file" 2>/dev/null ;;',
  "  esac",
  "done",
  "exit 0",
].join("\n");

/** Where the draft appears in the view. */
const draftPlace = "/wave/draft";

/** `cp` puts no directory over a symlink, and fails. */
const copying = 'xargs -0 sh -c "$2" sh && exec cp -a --remove-destination --no-target-directory -- "$1" .';

/** Fails with `workspace-failed`. The paths have been looked at: none leads out by its spelling. */
export async function writeIntoView(
  { isolation, project, tree, draft }: ViewWriting,
  entries: ReadonlyMap<string, TreeEntry | undefined>,
): Promise<Result<void>> {
  mkdirSync(draft);
  const binds = [{ source: draft, target: draftPlace, writable: false }];
  const view = { ...lookAt(project, tree), binds };
  const laid = putLeaves({ directory: draft, model: project }, entries);
  const written = laid.ok
    ? await changeInView(isolation, view, ["sh", "-c", copying, "sh", draftPlace, clearing], listed(wordsOf(entries), ""))
    : laid;
  await removeTree(draft);
  return written.ok ? ok(undefined) : written;
}

function wordsOf(entries: ReadonlyMap<string, TreeEntry | undefined>): string[] {
  return [...entries].flatMap(([file, entry]) => {
    if (entry === undefined) return [`r${file}`, ...parentsOf(file).map((parent) => `e${parent}`)];
    return [`${entry.mode === "040000" ? "d" : "r"}${file}`];
  });
}
