/** Collects the output and changes of attempts during a run. `recording-files.ts` writes them when the run has ended. */

import type { Changeset, ChangesetEntry } from "../../core/changeset.ts";
import { defined } from "../../core/defined.ts";
import type { Digest } from "../../core/digest.ts";
import { partsOfRecording } from "../../core/fingerprint-parts.ts";
import type { Adapter, AdapterContext, AdapterOutcome, BlobStore, Redactor, Workspace } from "../../core/ports.ts";
import { isRecordable, type RecordedAttempt, type RecordedFile, recordedName } from "../../core/recording.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { Usage } from "../../core/usage.ts";

/** A recorded attempt with the files of its directory: relative name → blob. */
export interface Take {
  readonly recorded: RecordedAttempt;
  readonly contents: ReadonlyMap<string, Digest>;
}

export interface Recorder {
  /** Wraps an adapter and records its attempts. */
  wrap(adapter: Adapter): Adapter;
  /** In the order in which the attempts ended. */
  takes(): readonly Take[];
}

/** Maximum size of a recorded file, in bytes. */
const fileLimit = 64 * 1024 ** 2;

/** Records attempts that the adapter ended, not those that were cancelled or failed because of the machine. */
export function recorder(store: { readonly blobs: BlobStore; readonly redactor: Redactor }): Recorder {
  const takes: Take[] = [];
  return {
    takes: () => takes,
    wrap: (adapter) => ({
      ...adapter,
      async run(context) {
        let usage: Usage | undefined;
        const onUsage = (latest: Usage) => {
          usage = latest;
          context.onUsage?.(latest);
        };
        const outcome = await adapter.run({ ...context, onUsage });
        if (context.signal.aborted || (!outcome.ok && !isRecordable(outcome.error))) return outcome;
        const changes = await context.workspace.changeset();
        // The executor reads the changes next and reports the error.
        if (!changes.ok) return outcome;
        const version = await adapter.version(context.step);
        const recorded = new Set(takes.flatMap(({ recorded }) => recorded.changes.map(({ path }) => path)));
        const take = await takeOf(
          { ...store, recorded },
          context,
          outcome,
          changes.value?.changes ?? [],
          version.ok ? version.value : adapter.name,
          usage,
        );
        if (!take.ok) return take;
        takes.push(take.value);
        return outcome;
      },
    }),
  };
}

async function takeOf(
  { blobs, redactor, recorded: known }: { readonly blobs: BlobStore; readonly redactor: Redactor; readonly recorded: ReadonlySet<string> },
  { step, attempt, workspace, fingerprint }: AdapterContext,
  outcome: Result<AdapterOutcome>,
  changeset: Changeset,
  adapter: string,
  usage: Usage | undefined,
): Promise<Result<Take>> {
  const contents = new Map<string, Digest>();
  const keep = async (name: string, bytes: Uint8Array): Promise<Result<void>> => {
    const clean = redactor.finds(bytes) ? Buffer.from(redactor.text(Buffer.from(bytes).toString())) : bytes;
    const stored = await blobs.put(clean);
    if (stored.ok) contents.set(name, stored.value.digest);
    return stored.ok ? ok(undefined) : stored;
  };
  const changes: RecordedFile[] = [];
  for (const entry of changeset) {
    const { path, after } = entry;
    if (after !== undefined && "digest" in after) contents.set(`changes/${recordedName(path)}`, after.digest);
    const before = known.has(path) ? undefined : await keepBefore(blobs, entry, contents);
    changes.push({ path, mode: after?.mode ?? "deleted", ...defined({ before }) });
  }
  const named = step.artifacts.flatMap((artifact) => (artifact.path === undefined ? [] : [artifact.path]));
  const changed = new Set(changeset.map(({ path }) => path));
  // A replay finds the file under the redacted name.
  const nameOf = (path: string) => redactor.text(path);
  const ignored = await filesIn(workspace, "root", named, { keep, nameOf }, "changes", changed);
  if (!ignored.ok) return ignored;
  const output = await filesIn(workspace, "output", ["**"], { keep, nameOf }, "output", new Set());
  if (!output.ok) return output;
  const message = outcome.ok ? outcome.value.finalMessage : undefined;
  const kept = message === undefined ? ok(undefined) : await keep("message.md", Buffer.from(message));
  if (!kept.ok) return kept;
  const model = step.adapter?.model ?? step.persona.model;
  const recorded: RecordedAttempt = {
    step: step.id,
    attempt: attempt.number,
    adapter,
    ...defined({ model }),
    asked: partsOfRecording(fingerprint.parts),
    ...(!outcome.ok && isRecordable(outcome.error) ? { failure: redactor.value(outcome.error) } : {}),
    message: message !== undefined,
    ...defined({ usage }),
    changes: [...changes, ...ignored.value],
    output: output.value,
  };
  return ok({ recorded, contents });
}

/**
 * Keeps the content that a path had before the first attempt that changed it, which is the content at the start of the run.
 * Undefined if the store does not have the bytes, because they contained a secret.
 */
async function keepBefore(
  blobs: BlobStore,
  { path, before }: ChangesetEntry,
  contents: Map<string, Digest>,
): Promise<RecordedFile["mode"] | undefined> {
  if (before === undefined || !("digest" in before)) return before?.mode ?? "deleted";
  if (!(await blobs.pathOf(before.digest)).ok) return undefined;
  contents.set(`before/${recordedName(path)}`, before.digest);
  return before.mode;
}

interface FileSink {
  readonly keep: (name: string, bytes: Uint8Array) => Promise<Result<void>>;
  /** A path without secrets. */
  readonly nameOf: (path: string) => string;
}

/** Records the files that match, under `below` in the recording, except known ones. */
async function filesIn(
  workspace: Workspace,
  area: "root" | "output",
  globs: readonly string[],
  { keep, nameOf }: FileSink,
  below: string,
  known: ReadonlySet<string>,
): Promise<Result<readonly RecordedFile[]>> {
  const files = new Map<string, RecordedFile>();
  for (const glob of globs) {
    const listed = await workspace.list(area, glob);
    if (!listed.ok) return listed;
    for (const { path, kind } of listed.value) {
      const name = nameOf(path);
      if (kind !== "file" || known.has(path) || files.has(name)) continue;
      const bytes = await workspace.read(area, path, fileLimit);
      if (!bytes.ok) return err(bytes.error);
      const kept = await keep(`${below}/${recordedName(name)}`, bytes.value);
      if (!kept.ok) return kept;
      files.set(name, { path: name, mode: "100644" });
    }
  }
  return ok([...files.values()]);
}
