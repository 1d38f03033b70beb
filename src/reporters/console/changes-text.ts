/** Describes changesets by their number of files. */

import type { ChangesRef } from "../../core/event.ts";
import { printable } from "../../text/printable.ts";
import { counted } from "../../text/quantity.ts";

/** `4 files (3 added, 1 changed)`; zero counts are omitted. */
export function changesText({ added, changed, deleted }: ChangesRef): string {
  const parts = [
    [added, "added"],
    [changed, "changed"],
    [deleted, "deleted"],
  ] as const;
  const counts = parts.filter(([count]) => count > 0).map(([count, verb]) => `${count} ${verb}`);
  const files = added + changed + deleted;
  return `${counted(files, "file")}${counts.length === 0 ? "" : ` (${counts.join(", ")})`}`;
}

const maxShown = 5;

/** One sentence on paths that a changed `.gitignore` excludes from a changeset. Empty if there are none. */
export function ignoredText(changes: ChangesRef | undefined): string {
  if (changes?.ignored === undefined) return "";
  const { count, paths } = changes.ignored;
  const shown = paths.slice(0, maxShown);
  const rest = count > shown.length ? ` and ${count - shown.length} more` : "";
  return `not kept, because a changed .gitignore ignores them: ${shown.map(printable).join(", ")}${rest}`;
}
