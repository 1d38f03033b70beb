/** How large a changeset is, in words. */

import type { ChangesRef } from "../../core/event.ts";
import { printable } from "../../text/printable.ts";
import { counted } from "../../text/quantity.ts";

/** `4 files (3 added, 1 changed)`; what there is none of is left out. */
export function changesText({ added, changed, deleted }: ChangesRef): string {
  const parts = [
    [added, "added"],
    [changed, "changed"],
    [deleted, "deleted"],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, verb]) => `${count} ${verb}`);
  const files = added + changed + deleted;
  return `${counted(files, "file")}${told.length === 0 ? "" : ` (${told.join(", ")})`}`;
}

const mostShown = 5;

/** One sentence about the paths that a changed `.gitignore` left out of a changeset; empty if there are none. */
export function ignoredText(changes: ChangesRef | undefined): string {
  if (changes?.ignored === undefined) return "";
  const { count, paths } = changes.ignored;
  const shown = paths.slice(0, mostShown);
  const rest = count > shown.length ? ` and ${count - shown.length} more` : "";
  return `not kept, because a changed .gitignore ignores them: ${shown.map(printable).join(", ")}${rest}`;
}
