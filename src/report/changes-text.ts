/** How large a changeset is, in words. */
import type { ChangesRef } from "../model/event.ts";

/** `4 files (3 added, 1 changed)`; what there is none of is left out. */
export function changesText({ added, changed, deleted }: ChangesRef): string {
  const parts = [
    [added, "added"],
    [changed, "changed"],
    [deleted, "deleted"],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, verb]) => `${count} ${verb}`);
  const files = added + changed + deleted;
  return `${files} ${files === 1 ? "file" : "files"}${told.length === 0 ? "" : ` (${told.join(", ")})`}`;
}
