/** Determines the changes that a step builds on: those of everything upstream of it. Pure. */
import { type Digest, digestOfBytes } from "../core/digest.ts";

/** Step → the digest of its changes, for all upstream steps that changed something. */
export type UpstreamChanges = ReadonlyMap<string, Digest>;

const nothing: UpstreamChanges = new Map();

/**
 * The changes that a step builds on, from its direct upstream steps, each with what it builds on and its own changes
 * (undefined if it changed nothing). If only one of them contributes changes, its map is shared, so that chains of steps
 * without changes cost nothing.
 */
export function collectUpstream(
  upstream: readonly { readonly id: string; readonly builtOn: UpstreamChanges; readonly changes?: Digest }[],
): UpstreamChanges {
  const bringing = upstream.filter((one) => one.builtOn.size > 0 || one.changes !== undefined);
  const [only] = bringing;
  if (only === undefined) return nothing;
  if (bringing.length === 1 && only.changes === undefined) return only.builtOn;
  const all = new Map<string, Digest>();
  for (const one of bringing) {
    for (const [id, digest] of one.builtOn) all.set(id, digest);
    if (one.changes !== undefined) all.set(one.id, one.changes);
  }
  return all;
}

/** The part of a fingerprint for the changes that a step builds on. Undefined if there are none. */
export function digestUpstream(changes: UpstreamChanges): Digest | undefined {
  if (changes.size === 0) return undefined;
  const lines = [...changes].map(([id, digest]) => `${id}\0${digest}\0`).sort();
  return digestOfBytes(lines.join(""));
}

/** The direct upstream steps: its dependencies, and the producers of its inputs. Each once. */
export function upstreamIds(step: {
  readonly dependencies: readonly string[];
  readonly inputs: readonly { readonly from?: string }[];
}): readonly string[] {
  return [...new Set([...step.dependencies, ...step.inputs.flatMap(({ from }) => from ?? [])])];
}
