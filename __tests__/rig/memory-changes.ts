/** A port for changes without a disk: changesets are kept as blobs, and the project is a map of paths. */

import { countsOf } from "../../src/changeset/combine-changes.ts";
import type { Changeset, ChangesetEntry, FileState } from "../../src/core/changeset.ts";
import { type Digest, digestOfBytes, digestOfValue } from "../../src/core/digest.ts";
import { err, ok } from "../../src/core/result.ts";
import type { ChangesPort } from "../../src/executor/context.ts";

export interface MemoryChanges extends ChangesPort {
  /** Path → what lies there. */
  readonly project: Map<string, FileState>;
  /** Digests of changesets that are gone, or of files whose bytes are. */
  readonly lost: Set<Digest>;
  /** What was applied, in order. */
  readonly applied: Changeset[];
}

/** A file with these bytes. */
export function fileState(content: string): FileState {
  return { mode: "100644", digest: digestOfBytes(content), size: content.length };
}

/** `path` goes from one content to another; `undefined`: nothing is there. */
export function changeOf(path: string, before: string | undefined, after: string | undefined): ChangesetEntry {
  return {
    path,
    ...(before === undefined ? {} : { before: fileState(before) }),
    ...(after === undefined ? {} : { after: fileState(after) }),
  };
}

/** Two files merge into `ours+theirs`, unless one of them says `clash`. */
export function memoryChanges(undo: Changeset = []): MemoryChanges {
  const kept = new Map<Digest, Changeset>();
  const project = new Map<string, FileState>();
  const lost = new Set<Digest>();
  const applied: Changeset[] = [];
  const isNow = ({ path, before }: ChangesetEntry) => digestOfValue(project.get(path) ?? null) === digestOfValue(before ?? null);
  return {
    rollback: undo,
    project,
    lost,
    applied,
    read: async (digest) => {
      const changes = lost.has(digest) ? undefined : kept.get(digest);
      return changes === undefined ? err({ reason: "state-damaged", path: digest, detail: "it is gone" }) : ok(changes);
    },
    keep: async (changes) => {
      const digest = digestOfValue(changes);
      kept.set(digest, changes);
      return ok({ digest, ...countsOf(changes) });
    },
    mergeFiles: async ({ ours, theirs }) =>
      ok(
        [ours.digest, theirs.digest].includes(digestOfBytes("clash"))
          ? { kind: "conflict", detail: "both changed it", hunk: "<<<<<<<\n=======\n>>>>>>>\n" }
          : { kind: "merged", digest: digestOfValue([ours.digest, theirs.digest]), size: 1 },
      ),
    matchesDisk: async (changes) => changes.every(isNow),
    hasAllBlobs: async (changes) => changes.every(({ after }) => after === undefined || !("digest" in after) || !lost.has(after.digest)),
    apply: async (changes) => {
      const foreign = changes.filter((entry) => !isNow(entry)).map(({ path }) => path);
      if (foreign.length > 0) return err({ reason: "project-changed", paths: foreign, hint: "put them back" });
      for (const { path, after } of changes) after === undefined ? project.delete(path) : project.set(path, after);
      applied.push(changes);
      return ok(undefined);
    },
  };
}
