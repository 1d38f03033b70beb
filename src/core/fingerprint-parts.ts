/** What the parts of a fingerprint are for. Pure. */
import type { Digest } from "./digest.ts";

/** Whether a part belongs to the gate fingerprint. */
export function isGatePart(part: string): boolean {
  return part.startsWith("contract:") || part.startsWith("gate-file:") || part === "gate-tree" || part === "gate-ignored";
}

/**
 * The parts by which a recording is found again: what the persona was asked, and not who answered. Left out are the adapter and its model, the
 * platform, and the base: a recording outlives changes of files that it does not touch.
 */
export function partsOfRecording(parts: Readonly<Record<string, Digest>>): Record<string, Digest> {
  return Object.fromEntries(Object.entries(parts).filter(([part]) => !isGatePart(part) && !unrecorded.has(part)));
}

const unrecorded: ReadonlySet<string> = new Set(["adapter", "model", "platform", "base", "ignored", "replayed"]);
