/**
 * The three-way merge of the states of one path: kinds and modes here, contents by a function of the caller. Pure apart
 * from that function.
 */

import type { FileState } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import type { Digest } from "../core/digest.ts";
import { ok, type Result } from "../core/result.ts";
import { sameState } from "./combine-changes.ts";

/** One side of a content merge: its steps, for the markers, and its blob. */
export interface MergeSide {
  readonly label: string;
  readonly digest: Digest;
}

/** The result of merging contents: the blob of the merged text (`size` in bytes), or the conflict. */
export type MergedFile =
  | { readonly kind: "merged"; readonly digest: Digest; readonly size: number }
  | { readonly kind: "conflict"; readonly detail: string; readonly hunk?: string };

/** Merges two contents with the common base `base`; without a base, both are new files. Fails like the blob store and git. */
export type MergeFiles = (request: {
  readonly base?: Digest;
  readonly ours: MergeSide;
  readonly theirs: MergeSide;
}) => Promise<Result<MergedFile>>;

/** The state of a path on one side, and the name of that side. */
export interface Side {
  readonly label: string;
  readonly state: FileState | undefined;
}

/** The merged state and its origin, or the conflict. */
export type MergedState =
  | { readonly kind: "state"; readonly state: FileState | undefined; readonly from: "ours" | "theirs" | "both" }
  | { readonly kind: "conflict"; readonly detail: string; readonly hunk?: string };

type ContentState = Extract<FileState, { digest: Digest }>;

/** Merges two states of a path. Fails only like `mergeFiles`. */
export async function mergeStates(
  base: FileState | undefined,
  ours: Side,
  theirs: Side,
  mergeFiles: MergeFiles,
): Promise<Result<MergedState>> {
  if (sameState(ours.state, theirs.state)) return ok({ kind: "state", state: ours.state, from: "both" });
  if (sameState(ours.state, base)) return ok({ kind: "state", state: theirs.state, from: "theirs" });
  if (sameState(theirs.state, base)) return ok({ kind: "state", state: ours.state, from: "ours" });
  const [left, right] = [ours.state, theirs.state];
  if (!hasContent(left) && !hasContent(right))
    return ok({ kind: "state", state: { mode: "040000" }, from: left === undefined ? "theirs" : "ours" });
  if (!hasContent(left) || !hasContent(right))
    return ok(conflict(`the first ${actionOf(left, base)} it, the second ${actionOf(right, base)} it`));
  if (left.mode === "120000" || right.mode === "120000") {
    const both = left.mode === right.mode ? "both made it a symlink, with different targets" : "one made it a symlink, the other a file";
    return ok(conflict(both));
  }
  return mergeContents(
    hasContent(base) && base.mode !== "120000" ? base : undefined,
    { ...ours, state: left },
    { ...theirs, state: right },
    mergeFiles,
  );
}

async function mergeContents(
  base: ContentState | undefined,
  ours: Side & { readonly state: ContentState },
  theirs: Side & { readonly state: ContentState },
  mergeFiles: MergeFiles,
): Promise<Result<MergedState>> {
  const mode = threeWay(base?.mode, ours.state.mode, theirs.state.mode);
  if (mode === undefined) return ok(conflict("only one of them made it executable"));
  const digest = threeWay(base?.digest, ours.state.digest, theirs.state.digest);
  if (digest !== undefined) {
    const { size } = digest === ours.state.digest ? ours.state : theirs.state;
    return ok({ kind: "state", state: { mode, digest, size, ...narrower(ours.state, theirs.state) }, from: "both" });
  }
  const merged = await mergeFiles({
    ...defined({ base: base?.digest }),
    ours: { label: ours.label, digest: ours.state.digest },
    theirs: { label: theirs.label, digest: theirs.state.digest },
  });
  if (!merged.ok || merged.value.kind === "conflict") return merged as Result<MergedState>;
  const { digest: both, size } = merged.value;
  return ok({ kind: "state", state: { mode, digest: both, size, ...narrower(ours.state, theirs.state) }, from: "both" });
}

/** The permissions that both files grant. */
function narrower(ours: ContentState, theirs: ContentState): Pick<ContentState, "permissions"> {
  if (ours.permissions === undefined && theirs.permissions === undefined) return {};
  return { permissions: (ours.permissions ?? 0o777) & (theirs.permissions ?? 0o777) };
}

/** The changed one of two values; undefined if both changed differently. */
function threeWay<T>(base: T | undefined, ours: T, theirs: T): T | undefined {
  if (ours === theirs || theirs === base) return ours;
  return ours === base ? theirs : undefined;
}

function actionOf(state: FileState | undefined, base: FileState | undefined): string {
  if (state === undefined) return "deleted";
  if (state.mode === "040000") return "made a directory of";
  return base === undefined ? "added" : "changed";
}

/** Whether a state has content: a file or a symlink. */
export function hasContent(state: FileState | undefined): state is ContentState {
  return state !== undefined && state.mode !== "040000";
}

function conflict(detail: string): MergedState {
  return { kind: "conflict", detail };
}
