/** Classifies the parts of a fingerprint. Pure. */
import type { Digest } from "./digest.ts";

/** Whether a part belongs to the gate fingerprint. */
export function isGatePart(part: string): boolean {
  return part.startsWith("contract:") || part.startsWith("gate-file:") || part === "gate-tree" || part === "gate-ignored";
}

/**
 * The parts that select a recording. Leaves out adapter, model, platform and base, so that a recording stays usable when other files change.
 */
export function partsOfRecording(parts: Readonly<Record<string, Digest>>): Record<string, Digest> {
  return Object.fromEntries(Object.entries(parts).filter(([part]) => !isGatePart(part) && !unrecorded.has(part)));
}

const unrecorded: ReadonlySet<string> = new Set(["adapter", "model", "platform", "base", "ignored", "replayed"]);
