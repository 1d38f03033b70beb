/** Which changes a step builds on: those of everything upstream of it. Pure. */
import { type Digest, digestOfBytes } from "../core/digest.ts";

/** Step → the digest of what it changed, for all upstream steps that changed something. */
export type UpstreamChanges = ReadonlyMap<string, Digest>;

const nothing: UpstreamChanges = new Map();

/**
 * What a step builds on, given its direct upstream steps, each with what it builds on and what it changed itself (nothing for a step that
 * changed nothing). Where only one of them brings anything, its map is shared, so that chains of steps that change nothing cost nothing.
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

/** The part of a fingerprint that stands for what a step builds on; nothing where that is nothing. */
export function digestUpstream(changes: UpstreamChanges): Digest | undefined {
  if (changes.size === 0) return undefined;
  const lines = [...changes].map(([id, digest]) => `${id}\0${digest}\0`).sort();
  return digestOfBytes(lines.join(""));
}

/** The steps directly upstream of one: its dependencies, and the makers of its inputs. Each once. */
export function upstreamIds(step: {
  readonly dependencies: readonly string[];
  readonly inputs: readonly { readonly from?: string }[];
}): readonly string[] {
  return [...new Set([...step.dependencies, ...step.inputs.flatMap(({ from }) => from ?? [])])];
}
