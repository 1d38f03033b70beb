/** Renders the result of a cleanup. Pure. */

import { printable } from "../../text/printable.ts";
import { counted, formatSize } from "../../text/quantity.ts";

/** The result of a cleanup. Sizes are in bytes. */
export interface CleanupText {
  readonly runs: readonly { readonly id: string; readonly pipeline: string; readonly status: string }[];
  readonly parts: readonly { readonly run: string; readonly kind: "journals" | "workspaces" | "logs"; readonly bytes: number }[];
  readonly live: readonly string[];
  readonly reused: readonly { readonly run: string; readonly by: string }[];
  readonly gone: Amount;
  readonly young: Amount;
  readonly bytes: number;
}

interface Amount {
  readonly count: number;
  readonly bytes: number;
}

/** One line per removed run, per removed part of a kept run, and for blobs; then the total and notes. Ends in a line break. */
export function renderCleanup({ runs, parts, live, reused, gone, young, bytes }: CleanupText, { dry }: { readonly dry: boolean }): string {
  const going = new Set(runs.map(({ id }) => id));
  const sizeOf = (run: string) => parts.filter((part) => part.run === run).reduce((sum, part) => sum + part.bytes, 0);
  const lines = [
    ...runs.map(({ id, pipeline, status }) => `run ${id} (${printable(pipeline)}, ${status})  ${formatSize(sizeOf(id))}`),
    ...parts
      .filter(({ run }) => !going.has(run))
      .map(({ run, kind, bytes: size }) => `${kind} of run ${printable(run)}  ${formatSize(size)}`),
    ...(gone.count === 0 ? [] : [`${counted(gone.count, "blob")} that no run refers to  ${formatSize(gone.bytes)}`]),
  ];
  const verb = dry ? "would be removed" : "removed";
  const sum = lines.length === 0 ? `nothing to clean up` : `${formatSize(bytes)} ${verb}`;
  const notes = [
    ...(live.length === 0 ? [] : [`not removed, because they are running: ${live.map(printable).join(", ")}`]),
    ...reused.map(({ run, by }) => `run ${printable(run)} is kept: run ${printable(by)} reuses its results`),
    ...(young.count === 0
      ? []
      : [
          `${counted(young.count, "blob")} (${formatSize(young.bytes)}) that no run refers to are kept for now, because they may be in use`,
        ]),
  ];
  return `${[...lines, sum, ...notes].join("\n")}\n`;
}
