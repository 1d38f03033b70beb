/** Renders the artifacts of a run, and the results of exporting and verifying them. Pure. */
import type { ArtifactRef } from "../../core/event.ts";
import { padded, printable } from "../../text/printable.ts";
import { counted, formatSize } from "../../text/quantity.ts";
import { paletteOf, sign } from "./palette.ts";

/** One line per artifact: step, name, size, media type, digest. Ends in a line break. */
export function renderArtifacts(artifacts: readonly (ArtifactRef & { readonly step: string })[], color: boolean): string {
  if (artifacts.length === 0) return "no artifacts\n";
  const paint = paletteOf(color);
  const width = (texts: readonly string[]) => Math.max(...texts.map((text) => printable(text).length));
  const steps = width(artifacts.map(({ step }) => step));
  const names = width(artifacts.map(({ name }) => name));
  const types = width(artifacts.map(({ mediaType }) => mediaType));
  const lines = artifacts.map(
    ({ step, name, size, mediaType, digest, source }) =>
      `${padded(printable(step), steps)}  ${paint.bold(padded(printable(name), names))}  ${padded(formatSize(size), 8)}  ${padded(printable(mediaType), types)}  ${paint.dim(digest)}${originNote({ source })}`,
  );
  return `${lines.join("\n")}\n`;
}

/** A note on an artifact that is the agent's final message. Empty for files. */
export function originNote({ source }: Pick<ArtifactRef, "source">): string {
  return source === "message" ? "  from the final message" : "";
}

/** The paths of exported artifacts, one per line. Ends in a line break. */
export function exportedLines(artifacts: readonly { readonly file: string }[]): string {
  return artifacts.length === 0 ? "no artifacts\n" : artifacts.map(({ file }) => `${printable(file)}\n`).join("");
}

/** Missing or damaged artifacts, and the number of intact ones. Ends in a line break. */
export function lostLines(
  lost: readonly (ArtifactRef & { readonly step: string; readonly problem: string })[],
  count: number,
  color: boolean,
): string {
  const paint = paletteOf(color);
  const problems = lost.map(({ step, name, problem }) => `${sign("failed", paint)} ${printable(`${step}/${name}: ${problem}`)}\n`);
  const intact = count - lost.length;
  const sum = `${intact} of ${counted(count, "artifact")} intact`;
  return `${problems.join("")}${lost.length === 0 ? `${sign("passed", paint)} ` : ""}${sum}\n`;
}
