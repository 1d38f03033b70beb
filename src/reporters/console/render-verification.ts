/** Renders the results of `wave state verify` and `wave state rebuild`. Pure. */

import { printable } from "../../text/printable.ts";
import { counted, formatSize } from "../../text/quantity.ts";
import { paletteOf } from "./palette.ts";

/** A problem in a stored file. Lines count from 1. */
export interface FindingText {
  readonly file: string;
  readonly line?: number;
  readonly detail: string;
}

export interface VerificationText {
  readonly findings: readonly FindingText[];
  readonly runs: number;
  readonly archived: number;
  readonly events: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly database: boolean;
}

/** One line per finding, then the number of runs, events and blobs that were checked. Ends in a line break. */
export function renderVerification(verification: VerificationText, { color }: { readonly color: boolean }): string {
  const { findings, runs, archived, events, blobs, bytes, database } = verification;
  const paint = paletteOf(color);
  const checked = [
    `${counted(runs, "run")} (${counted(events, "event")})`,
    `${counted(blobs, "blob")} (${formatSize(bytes)})`,
    database ? "the database" : "no database yet",
  ].join(", ");
  const notes = archived === 0 ? [] : [`${counted(archived, "archived run")}: only the database has their records`];
  const verdict =
    findings.length === 0
      ? `${paint.green("✓")} state is intact: ${checked}`
      : `${paint.red("✗")} ${counted(findings.length, "problem")} in ${checked}`;
  return `${[...findingLines(findings, color), verdict, ...notes].join("\n")}\n`;
}

/** The result of a rebuild, and the differences from the old database. Ends in a line break. */
export function renderRebuilt(
  { runs, archived, disagreements }: { readonly runs: number; readonly archived: number; readonly disagreements: readonly FindingText[] },
  { color }: { readonly color: boolean },
): string {
  const kept = archived === 0 ? "" : `, and ${counted(archived, "archived run")} copied from the old one`;
  const warnings =
    disagreements.length === 0 ? [] : ["the old database differs from these journals:", ...findingLines(disagreements, color)];
  return `${[...warnings, `the database was rebuilt: ${counted(runs, "run")} from journals${kept}`].join("\n")}\n`;
}

function findingLines(findings: readonly FindingText[], color: boolean): readonly string[] {
  const paint = paletteOf(color);
  return findings.map(
    ({ file, line, detail }) => `${paint.bold(printable(line === undefined ? file : `${file}:${line}`))}: ${printable(detail)}`,
  );
}
