/** Failures about what steps changed, in words; `describe.ts` is where all others are. */
import type { Failure } from "./failure.ts";
import { unreachable } from "./result.ts";

/** A failure in words. */
export interface Description {
  /** One line, without a full stop. */
  readonly title: string;
  /** More lines, the most telling first; the end of a child's output last. */
  readonly detail: string[];
  /** What to do next. */
  readonly hint?: string;
}

/** Paths listed in a description; the rest are counted. */
const maxPaths = 20;

/** The failures that this module words. */
export type ChangeFailure = Extract<Failure, { reason: "write-denied" | "changeset-refused" | "merge-conflict" | "project-changed" }>;

/** What happened to which paths, and what to do next. */
export function describeChangeFailure(failure: ChangeFailure): Description {
  switch (failure.reason) {
    case "write-denied":
      return {
        title: `the attempt changed ${count(failure.paths.length, "file")} that it may not write, so none of its changes were kept`,
        detail: shortened(failure.paths),
        hint:
          failure.rule === undefined
            ? "keep the step to its `file_write` permissions, or allow the path"
            : `\`${failure.rule}\` refuses every change; remove it if the step may change files`,
      };
    case "changeset-refused":
      return { title: `the change to \`${failure.path}\` cannot be kept`, detail: [failure.detail] };
    case "merge-conflict":
      return {
        title: `${failure.step === undefined ? "the run" : `step \`${failure.step}\``} builds on changes that do not go together`,
        detail: failure.conflicts.flatMap(({ path, steps, detail, hunk }) => [
          `${path}: ${steps.map((step) => `\`${step}\``).join(" and ")}: ${detail}`,
          ...(hunk === undefined
            ? []
            : hunk
                .trimEnd()
                .split("\n")
                .map((line) => `  ${line}`)),
        ]),
        hint: "let one of the steps depend on the other, or keep them to different files",
      };
    case "project-changed":
      return {
        title: `${count(failure.paths.length, "file")} of the project changed meanwhile, so nothing was written`,
        detail: shortened(failure.paths),
        hint: failure.hint,
      };
    default:
      return unreachable(failure);
  }
}

/** `1 file`, `2 files`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}

function shortened(paths: readonly string[]): string[] {
  const listed = paths.slice(0, maxPaths);
  return paths.length > listed.length ? [...listed, `and ${paths.length - listed.length} more`] : listed;
}
