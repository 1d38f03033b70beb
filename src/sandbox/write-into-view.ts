/**
 * Writes into an overlay from outside. The new files are staged next to it, and the machine's own programs copy them in a
 * view in which the overlay is mounted, so that the kernel keeps the layers consistent.
 */
import { mkdirSync } from "node:fs";
import { parentsOf } from "../changeset/combine-changes.ts";
import { removeTree } from "../changeset/remove-tree.ts";
import type { TreeEntry } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { changeInView, nulTerminated, treeView } from "./inspect.ts";
import type { Isolation } from "./isolation.ts";
import type { Tree } from "./view.ts";
import { writeEntries } from "./write-area.ts";

export interface ViewWriting {
  readonly isolation: Isolation;
  readonly project: string;
  readonly tree: Tree;
  /** Directory in which entries are staged; absolute, one of the attempt's own. */
  readonly draft: string;
}

/**
 * Each argument is a path with a letter before it: `r` removes it, `d` makes room for a directory, `e` removes it if
 * empty. A path through a symlink is skipped: here it would point to the machine's own files.
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

/** The path of the staged files in the view. */
const draftTarget = "/wave/draft";

/** `cp` fails if a directory would replace a symlink. */
const copying = 'xargs -0 sh -c "$2" sh && exec cp -a --remove-destination --no-target-directory -- "$1" .';

/** Fails with `workspace-failed`. The caller has checked the paths: none points outside the workspace by its spelling. */
export async function writeIntoView(
  { isolation, project, tree, draft }: ViewWriting,
  entries: ReadonlyMap<string, TreeEntry | undefined>,
): Promise<Result<void>> {
  mkdirSync(draft);
  const binds = [{ source: draft, target: draftTarget, writable: false }];
  const view = { ...treeView(project, tree), binds };
  const staged = writeEntries({ directory: draft, model: project }, entries);
  const written = staged.ok
    ? await changeInView(isolation, view, ["sh", "-c", copying, "sh", draftTarget, clearing], nulTerminated(argumentsOf(entries), ""))
    : staged;
  await removeTree(draft);
  return written.ok ? ok(undefined) : written;
}

function argumentsOf(entries: ReadonlyMap<string, TreeEntry | undefined>): string[] {
  return [...entries].flatMap(([file, entry]) => {
    if (entry === undefined) return [`r${file}`, ...parentsOf(file).map((parent) => `e${parent}`)];
    return [`${entry.mode === "040000" ? "d" : "r"}${file}`];
  });
}
