/** What a verification of state found, and what a rebuilding did, for people. Pure. */

import { printable } from "../../text/printable.ts";
import { counted, formatSize } from "../../text/quantity.ts";
import { paletteOf } from "./palette.ts";

/** Something that is not as it was written. `line` counts from 1. */
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

/** A line for each finding, then what was looked at. Ends in a line break. */
export function renderVerification(verification: VerificationText, { color }: { readonly color: boolean }): string {
  const { findings, runs, archived, events, blobs, bytes, database } = verification;
  const paint = paletteOf(color);
  const looked = [
    `${counted(runs, "run")} (${counted(events, "event")})`,
    `${counted(blobs, "blob")} (${formatSize(bytes)})`,
    database ? "the database" : "no database yet",
  ].join(", ");
  const notes = archived === 0 ? [] : [`${counted(archived, "archived run")}: the database alone tells of them`];
  const verdict =
    findings.length === 0
      ? `${paint.green("✓")} state is whole: ${looked}`
      : `${paint.red("✗")} ${counted(findings.length, "problem")} in ${looked}`;
  return `${[...findingLines(findings, color), verdict, ...notes].join("\n")}\n`;
}

/** What a rebuilding did, with what the old database had read otherwise. Ends in a line break. */
export function renderRebuilt(
  { runs, archived, disagreements }: { readonly runs: number; readonly archived: number; readonly disagreements: readonly FindingText[] },
  { color }: { readonly color: boolean },
): string {
  const kept = archived === 0 ? "" : `, and ${counted(archived, "archived run")} taken over from the old one`;
  const warnings =
    disagreements.length === 0 ? [] : ["the old database had read these journals otherwise:", ...findingLines(disagreements, color)];
  return `${[...warnings, `the database was rebuilt: ${counted(runs, "run")} from journals${kept}`].join("\n")}\n`;
}

function findingLines(findings: readonly FindingText[], color: boolean): readonly string[] {
  const paint = paletteOf(color);
  return findings.map(
    ({ file, line, detail }) => `${paint.bold(printable(line === undefined ? file : `${file}:${line}`))}: ${printable(detail)}`,
  );
}
