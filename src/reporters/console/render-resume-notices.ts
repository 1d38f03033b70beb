/** Notices that `wave resume` prints before it runs any step. */

import { printable } from "../../text/printable.ts";
import { partText } from "./part-text.ts";

/** A step whose definition changed. */
export interface ChangedStep {
  readonly step: string;
  readonly kind: "added" | "removed" | "changed";
  /** Parts of its fingerprint. */
  readonly parts: readonly string[];
}

const shown = 5;

/** The steps that changed, one line per step; `undefined` if the definition is the same. Ends in a line break. */
export function redefinedText(changes: readonly ChangedStep[] | undefined): string {
  if (changes === undefined) return "the manifest has not changed since the run started\n";
  if (changes.length === 0) return "the manifest changed, but none of its steps did\n";
  const signs = { added: "+", removed: "-", changed: "~" } as const;
  const lines = changes.map(({ step, kind, parts }) => {
    const text = kind === "changed" ? `changed: ${parts.map(partText).join(", ")}` : kind === "added" ? "is new" : "was removed";
    return `  ${signs[kind]} ${printable(step)} ${text}`;
  });
  return `changes since the run started:\n${lines.join("\n")}\n`;
}

/** One line: the run uses its own copy of the manifest, and the command that uses the new one. */
export function manifestChangedText(run: string, files: readonly string[]): string {
  const names = files.slice(0, shown).map(printable).join(", ");
  const others = files.length > shown ? ` and ${files.length - shown} more` : "";
  return `warning: the manifest changed since run ${run} started (${names}${others}); the run uses its own copy. To use the new one: wave resume --update ${run}\n`;
}

/** One line: project files changed since the run started. */
export function projectChangedText(run: string, affected: readonly string[]): string {
  const names = affected.slice(0, shown).map(printable).join(", ");
  const others = affected.length > shown ? ` and ${affected.length - shown} more` : "";
  const readers = affected.length === 0 ? "no step of the run reads them" : `steps that may read them: ${names}${others}`;
  return `warning: project files changed since run ${run} started, and steps see the new ones; ${readers}\n`;
}
