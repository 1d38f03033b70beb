/**
 * The output and the changes of an attempt, to replay them without its adapter. A recording is a directory that people
 * can read, edit and review:
 *
 *     recording.json              the pipeline, and the run's input
 *     STEP/ATTEMPT/attempt.json   digests of the attempt's inputs, its outcome, and the list of its files
 *     STEP/ATTEMPT/message.md     the final message, if there was one
 *     STEP/ATTEMPT/changes/…      the files that the attempt changed in the project
 *     STEP/ATTEMPT/before/…       the same files before the attempt, from which a test starts
 *     STEP/ATTEMPT/output/…       the files of its artifacts
 */

import { pathToBytes } from "../text/path-bytes.ts";
import { defined } from "./defined.ts";
import { type Digest, digestOfBytes, isDigest } from "./digest.ts";
import type { Failure } from "./failure.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { err, ok, type Result } from "./result.ts";
import type { Usage } from "./usage.ts";

/** The state of a path: missing (`deleted`), an empty directory, or a file or symlink whose bytes are stored beside. */
export interface RecordedFile {
  readonly path: string;
  readonly mode: "100644" | "100755" | "120000" | "040000" | "deleted";
  /** The entry in the project when the run started. Undefined if an earlier attempt recorded it, or if it contained a secret. */
  readonly before?: RecordedFile["mode"];
}

/** The failures of an adapter that can be recorded. */
export type RecordedFailure = Extract<Failure, { reason: keyof typeof failureMembers }>;

export interface RecordedAttempt {
  readonly step: string;
  readonly attempt: number;
  /** Adapter and version: `claude/2.1.330`. */
  readonly adapter: string;
  readonly model?: string;
  /** The parts of the fingerprint that select the recording. */
  readonly asked: Readonly<Record<string, Digest>>;
  /** Undefined if it succeeded. */
  readonly failure?: RecordedFailure;
  /** Whether `message.md` exists. */
  readonly message: boolean;
  /** Usage of the recorded attempt. A replay uses no tokens. */
  readonly usage?: Usage;
  readonly changes: readonly RecordedFile[];
  readonly output: readonly RecordedFile[];
}

const failureMembers = {
  "adapter-exit": { exitCode: "number", tail: "string" },
  "adapter-crash": { signal: "string", tail: "string" },
  "agent-failed": { kind: "string", detail: "string", tail: "string" },
  "budget-exceeded": { what: "string", limit: "number", used: "number" },
  "memory-exceeded": { limitBytes: "number", peakBytes: "number" },
  "disk-exceeded": { limitBytes: "number", usedBytes: "number" },
  timeout: { limitMs: "number", tail: "string" },
  "empty-output": { detail: "string" },
} as const;

const agentKinds: ReadonlySet<unknown> = new Set(["auth", "rate-limit", "network", "config", "crash"]);
const budgets: ReadonlySet<unknown> = new Set(["turns", "tokens", "cost"]);

/** Whether the attempt itself failed, rather than the machine or a cancellation. */
export function isRecordable(failure: Failure): failure is RecordedFailure {
  return Object.hasOwn(failureMembers, failure.reason);
}

/**
 * The file name of a recorded path, below `changes/`, `before/` or `output/`. Bytes that file systems or git treat
 * specially are written as `%HH`; the ending keeps test runners, compilers and linters from treating it as a project
 * file.
 */
export function recordedName(path: string): string {
  const name = path
    .split("/")
    .map((segment) => {
      const bytes = pathToBytes(segment);
      const name = [...bytes].map((byte, at) => (isPlain(byte, at, bytes.length) ? String.fromCharCode(byte) : escaped(byte))).join("");
      return name.length <= 150 ? name : `%${digestOfBytes(bytes).slice("sha256:".length, "sha256:".length + 32)}`;
    })
    .join("/");
  return `${name}.recorded`;
}

/** Excludes leading dots, which git and others treat specially, and trailing dots, which Windows drops. */
function isPlain(byte: number, at: number, length: number): boolean {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9_-]/.test(character) || (character === "." && at > 0 && at < length - 1);
}

function escaped(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** The text of `attempt.json`. */
export function attemptText(recorded: RecordedAttempt): string {
  return `${JSON.stringify({ v: 1, ...recorded }, undefined, 2)}\n`;
}

/** Parses `attempt.json`. The error is a sentence. */
export function parseAttempt(text: string): Result<RecordedAttempt, string> {
  const value = parse(text);
  if (!isJsonObject(value)) return err("it is not a JSON object");
  if (value["v"] !== 1) return err("`v` is not 1: it was recorded by another version of Wave");
  const { step, attempt, adapter, model, asked, failure, message, usage } = value;
  if (typeof step !== "string" || typeof adapter !== "string") return err("`step` and `adapter` must be strings");
  if (typeof attempt !== "number" || !Number.isInteger(attempt) || attempt < 1) return err("`attempt` must be a whole number from 1");
  if (model !== undefined && typeof model !== "string") return err("`model` must be a string");
  if (typeof message !== "boolean") return err("`message` must be true or false");
  if (!isJsonObject(asked) || !Object.values(asked).every((part) => typeof part === "string" && isDigest(part)))
    return err("`asked` must contain digests");
  if (failure !== undefined && !isFailure(failure)) return err("`failure` is not a failure of an attempt");
  const [changes, output] = [filesOf(value["changes"]), filesOf(value["output"])];
  if (changes === undefined || output === undefined) return err("`changes` and `output` must be lists of `path` and `mode`");
  return ok({
    step,
    attempt,
    adapter,
    message,
    changes,
    output,
    ...defined({ model }),
    asked: asked as Record<string, Digest>,
    ...defined({ failure }),
    ...(isJsonObject(usage) ? { usage: usage as unknown as Usage } : {}),
  });
}

function isFailure(value: JsonValue): value is JsonValue & RecordedFailure {
  if (!isJsonObject(value)) return false;
  const reason = value["reason"];
  if (typeof reason !== "string" || !Object.hasOwn(failureMembers, reason)) return false;
  const members: Readonly<Record<string, string>> = failureMembers[reason as keyof typeof failureMembers];
  if (reason === "agent-failed" && !agentKinds.has(value["kind"])) return false;
  if (reason === "budget-exceeded" && !budgets.has(value["what"])) return false;
  return Object.entries(members).every(([name, type]) => typeof value[name] === type);
}

const modes: ReadonlySet<unknown> = new Set<RecordedFile["mode"]>(["100644", "100755", "120000", "040000", "deleted"]);

function isFile(value: JsonValue): value is JsonObject & RecordedFile {
  return (
    isJsonObject(value) &&
    typeof value["path"] === "string" &&
    modes.has(value["mode"]) &&
    (value["before"] === undefined || modes.has(value["before"]))
  );
}

function filesOf(value: JsonValue | undefined): readonly RecordedFile[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const files = (value as readonly JsonValue[]).filter(isFile);
  if (files.length !== value.length) return undefined;
  return files.map(({ path, mode, before }) => ({ path, mode, ...defined({ before }) }));
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
