/** Classifies the parts of a fingerprint. Pure. */
import type { Digest } from "./digest.ts";

/** Whether a part belongs to the contract fingerprint. */
export function isContractPart(part: string): boolean {
  return part.startsWith("contract:") || part.startsWith("gate-file:") || part === "gate-tree" || part === "gate-ignored";
}

/**
 * The parts that select a recording. Excludes adapter, model, platform and base, so that a recording remains usable
 * when other files change.
 */
export function partsOfRecording(parts: Readonly<Record<string, Digest>>): Record<string, Digest> {
  return Object.fromEntries(Object.entries(parts).filter(([part]) => !isContractPart(part) && !unrecorded.has(part)));
}

const unrecorded: ReadonlySet<string> = new Set(["adapter", "model", "platform", "base", "ignored", "replayed"]);
