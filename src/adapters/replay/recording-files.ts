/** Writes and reads recordings on disk. `core/recording.ts` defines the format. */
import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Failure } from "../../core/failure.ts";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import type { BlobStore, TreeEntry } from "../../core/ports.ts";
import { attemptText, parseAttempt, type RecordedAttempt, type RecordedFile, recordedName } from "../../core/recording.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { describeIoError, writeFileDurably } from "../../platform/files.ts";
import { walkTree } from "../../platform/walk.ts";
import { fsPath } from "../../text/path-bytes.ts";
import type { Take } from "./record.ts";

/** The file that marks a directory as a recording. */
const mark = "recording.json";

/** The contents of `recording.json`. */
export interface RecordedRun {
  readonly pipeline: string;
  /** The run's input text, redacted. */
  readonly input?: string;
}

/** Fails if a directory is not empty and is not a recording. */
export async function directoryProblem(directory: string): Promise<Failure | undefined> {
  const names = await namesIn(directory);
  if (!names.ok) return names.error;
  if (names.value.length === 0 || names.value.includes(mark)) return undefined;
  return {
    reason: "usage",
    message: `${directory} is not empty and is not a recording`,
    hint: "name a new directory, or an existing recording",
  };
}

/**
 * Writes a recording. In an existing one, replaces the steps that were recorded again or, with `whole`, all steps. Fails
 * with `state-unwritable`, and as the blob store does.
 */
export async function writeRecording(
  directory: string,
  run: RecordedRun,
  takes: readonly Take[],
  blobs: BlobStore,
  whole: boolean,
): Promise<Result<void>> {
  const names = await namesIn(directory);
  if (!names.ok) return names;
  const again = new Set(takes.map(({ recorded }) => recorded.step));
  const replaced = names.value.filter((name) => name !== mark && (whole || again.has(name)));
  try {
    // Only directories with attempts are removed. The user's other files stay.
    for (const name of replaced)
      if ((await attemptsOf(directory, name)).length > 0) await rm(path.join(directory, name), { recursive: true });
  } catch (error) {
    return err(unwritable(directory, error));
  }
  const write = async (name: string, bytes: Uint8Array): Promise<Result<void>> => {
    const file = path.join(directory, name);
    const written = await writeFileDurably(file, bytes);
    return written.ok ? written : err({ reason: "state-unwritable", path: file, ...written.error });
  };
  const marked = await write(mark, Buffer.from(`${JSON.stringify({ v: 1, ...run }, undefined, 2)}\n`));
  if (!marked.ok) return marked;
  for (const { recorded, contents } of takes) {
    const attempt = `${recorded.step}/${recorded.attempt}`;
    for (const [name, digest] of contents) {
      const bytes = await blobs.get(digest);
      if (!bytes.ok) return bytes;
      const written = await write(`${attempt}/${name}`, bytes.value);
      if (!written.ok) return written;
    }
    const written = await write(`${attempt}/attempt.json`, Buffer.from(attemptText(recorded)));
    if (!written.ok) return written;
  }
  return ok(undefined);
}

/** Reads `recording.json`. The error is a sentence. */
export async function readRecordedRun(directory: string): Promise<Result<RecordedRun, string>> {
  let text: string;
  try {
    text = await readFile(path.join(directory, mark), "utf8");
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return err(code === "ENOENT" || code === "ENOTDIR" ? `there is no recording in ${directory}` : `${directory}/${mark}: ${detail}`);
  }
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    return err(`${directory}/${mark} is not JSON`);
  }
  if (!isJsonObject(value) || value["v"] !== 1 || typeof value["pipeline"] !== "string")
    return err(`${directory}/${mark} has a format that this version of Wave does not support`);
  const { pipeline, input } = value;
  return ok({ pipeline, ...(typeof input === "string" ? { input } : {}) });
}

/** The numbers of a step's recorded attempts, ascending; empty if the step was not recorded. */
export async function attemptsOf(directory: string, step: string): Promise<readonly number[]> {
  const names = await namesIn(path.join(directory, step));
  const numbers = (names.ok ? names.value : []).filter((name) => /^[1-9]\d{0,5}$/.test(name)).map(Number);
  return numbers.sort((a, b) => a - b);
}

/** A recorded attempt with the content of its files, by path; undefined for a deleted one. */
export interface ReadAttempt {
  readonly recorded: RecordedAttempt;
  readonly message?: string;
  readonly changes: ReadonlyMap<string, TreeEntry | undefined>;
  readonly output: ReadonlyMap<string, TreeEntry | undefined>;
}

/** Reads one attempt. The error is a sentence. */
export async function readAttempt(directory: string, step: string, attempt: number): Promise<Result<ReadAttempt, string>> {
  const attemptDirectory = path.join(directory, step, String(attempt));
  try {
    const recorded = parseAttempt(await readFile(path.join(attemptDirectory, "attempt.json"), "utf8"));
    if (!recorded.ok) return err(`${attemptDirectory}/attempt.json: ${recorded.error}`);
    return ok({
      recorded: recorded.value,
      ...(recorded.value.message ? { message: await readFile(path.join(attemptDirectory, "message.md"), "utf8") } : {}),
      changes: await entriesOf(path.join(attemptDirectory, "changes"), recorded.value.changes),
      output: await entriesOf(path.join(attemptDirectory, "output"), recorded.value.output),
    });
  } catch (error) {
    return err(`${fileOf(error, attemptDirectory)}: ${describeIoError(error).detail}`);
  }
}

/**
 * The content at the start of the run of every path that the run changed; undefined for a path that did not exist. `steps`
 * must be in dependency order. Unreadable attempts are skipped: replaying them reports the error. Fails with
 * `file-unreadable`.
 */
export async function readBefore(directory: string, steps: readonly string[]): Promise<Result<ReadonlyMap<string, TreeEntry | undefined>>> {
  const before = new Map<string, TreeEntry | undefined>();
  for (const step of steps) {
    for (const attempt of await attemptsOf(directory, step)) {
      const attemptDirectory = path.join(directory, step, String(attempt));
      const recorded = parseAttempt(await readFile(path.join(attemptDirectory, "attempt.json"), "utf8").catch(() => ""));
      if (!recorded.ok) continue;
      const first = recorded.value.changes.filter((file) => file.before !== undefined && !before.has(file.path));
      try {
        const entries = await entriesOf(
          path.join(attemptDirectory, "before"),
          first.map((file) => ({ path: file.path, mode: file.before ?? "deleted" })),
        );
        for (const [path, entry] of entries) before.set(path, entry);
      } catch (error) {
        return err({ reason: "file-unreadable", path: fileOf(error, attemptDirectory), ...describeIoError(error) });
      }
    }
  }
  return ok(before);
}

/** The path in an I/O error, or `otherwise`. */
function fileOf(error: unknown, otherwise: string): string {
  return error instanceof Error && "path" in error ? String(error.path) : otherwise;
}

async function entriesOf(directory: string, files: readonly RecordedFile[]): Promise<ReadonlyMap<string, TreeEntry | undefined>> {
  const entries = new Map<string, TreeEntry | undefined>();
  for (const { path: file, mode } of files) {
    if (mode === "deleted") entries.set(file, undefined);
    else if (mode === "040000") entries.set(file, { mode });
    else entries.set(file, { mode, bytes: await readFile(path.join(directory, recordedName(file))) });
  }
  return entries;
}

/** SHA-256 of all files recorded for a step, in hexadecimal; undefined if there are none. */
export async function digestOfStep(directory: string, step: string): Promise<string | undefined> {
  const attempts = await attemptsOf(directory, step);
  if (attempts.length === 0) return undefined;
  const hash = createHash("sha256");
  const addFile = async (name: string) => {
    const content = createHash("sha256").update(await readFile(fsPath(directory, name)));
    hash.update(`${name}\0`).update(content.digest());
  };
  // A recording may consist of symlinks to several directories. They are followed only here.
  const add = async (name: string, isLink: boolean): Promise<void> => {
    if (isLink && (await stat(fsPath(directory, name))).isDirectory()) await addBelow(name);
    else await addFile(name);
  };
  const addBelow = (from: string) =>
    walkTree(directory, { from, visit: ({ kind, path: name }) => (kind === "directory" ? undefined : add(name, kind === "symlink")) });
  for (const attempt of attempts) await add(`${step}/${attempt}`, true);
  return hash.digest("hex");
}

async function namesIn(directory: string): Promise<Result<readonly string[]>> {
  try {
    return ok(await readdir(directory));
  } catch (error) {
    const { code, detail } = describeIoError(error);
    return code === "ENOENT" ? ok([]) : err({ reason: "file-unreadable", path: directory, code, detail });
  }
}

function unwritable(file: string, error: unknown): Failure {
  const { code, detail } = describeIoError(error);
  return { reason: "state-unwritable", path: file, code, detail };
}
