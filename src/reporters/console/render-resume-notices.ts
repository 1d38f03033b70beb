/** What a person is told before a run goes on. Pure. */

import { printable } from "../../text/printable.ts";
import { partText } from "./part-text.ts";

/** A step that is not defined as it was. */
export interface ChangedStep {
  readonly step: string;
  readonly kind: "added" | "removed" | "changed";
  /** Parts of its fingerprint. */
  readonly parts: readonly string[];
}

const shown = 5;

/** The difference between two definitions, one line a step; `undefined`: there is none. Ends in a line break. */
export function redefinedText(changes: readonly ChangedStep[] | undefined): string {
  if (changes === undefined) return "the manifest is as it was when the run began\n";
  if (changes.length === 0) return "the manifest changed, but no step did\n";
  const signs = { added: "+", removed: "-", changed: "~" } as const;
  const lines = changes.map(({ step, kind, parts }) => {
    const told = kind === "changed" ? `changed: ${parts.map(partText).join(", ")}` : kind === "added" ? "is new" : "is no longer there";
    return `  ${signs[kind]} ${printable(step)} ${told}`;
  });
  return `since the run began:\n${lines.join("\n")}\n`;
}

/** One line: the project is not what the run began with. */
export function projectChangedText(run: string, affected: readonly string[]): string {
  const names = affected.slice(0, shown).map(printable).join(", ");
  const others = affected.length > shown ? ` and ${affected.length - shown} more` : "";
  const who = affected.length === 0 ? "no step of it reads what changed" : `files changed that ${names}${others} may read`;
  return `warning: the project is not as it was when run ${run} began: ${who}; steps see it as it is now\n`;
}
