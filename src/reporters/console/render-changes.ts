/** Renders a changeset for people, one line per path. Pure. */

import type { Changeset, ChangesetEntry, FileState } from "../../core/changeset.ts";
import { defined } from "../../core/defined.ts";
import { printable } from "../../text/printable.ts";
import { formatSize } from "../../text/quantity.ts";
import { paletteOf } from "./palette.ts";

export interface ChangesStyle {
  readonly color: boolean;
  /** Whether to show the changes of a rollback instead. */
  readonly rolledBack?: boolean;
}

/** `A path 12B`, `M path 12B -> 14B`, `D path`; with the mode if the file is executable, a symlink or an empty directory. */
export function changesLines(changes: Changeset, { color, rolledBack = false }: ChangesStyle): string[] {
  const paint = paletteOf(color);
  return changes.map((entry) => {
    const { path, before, after } = rolledBack ? reversed(entry) : entry;
    const letter = before === undefined ? paint.green("A") : after === undefined ? paint.red("D") : paint.yellow("M");
    const states = [before, after].flatMap((state) => (state === undefined ? [] : [stateText(state)]));
    return `${letter} ${printable(path)}  ${paint.dim([...new Set(states)].join(" -> "))}`;
  });
}

function reversed({ path, before, after }: ChangesetEntry): ChangesetEntry {
  return { path, ...defined({ before: after, after: before }) };
}

function stateText(state: FileState): string {
  switch (state.mode) {
    case "040000":
      return "empty directory";
    case "120000":
      return "symlink";
    case "100755":
      return `${formatSize(state.size)} executable`;
    case "100644":
      return formatSize(state.size);
  }
}
