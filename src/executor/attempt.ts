/**
 * Runs one attempt: inputs, workspace, prompt, adapter, changeset, artifacts, contracts. Writes no events, and does not decide whether
 * the attempt may start or whether another follows.
 */

import path from "node:path";
import type { AttemptLog } from "../core/attempt-output.ts";
import type { Changeset } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import { denialsIn, describeDenial, withDenials } from "../core/denial.ts";
import type { Digest } from "../core/digest.ts";
import { emptyOutputReason } from "../core/empty-output.ts";
import type { ArtifactRef, ChangesRef, FingerprintRef } from "../core/event.ts";
import type { ContractResult, Denial, Failure } from "../core/failure.ts";
import type { Feedback } from "../core/feedback.ts";
import type { Step } from "../core/pipeline.ts";
import type { Adapter, BlobStore, OpenWorkspace, Workspace, WorkspacePaths } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { Usage } from "../core/usage.ts";
import { withInlineTexts } from "../prompt/inline-text.ts";
import { printable } from "../text/printable.ts";
import { writeViolation } from "./changes.ts";
import type { AttemptHooks, ExecuteContext, PromptInput, PromptParts } from "./context.ts";
import { failureOf, verifyContracts } from "./verify-contracts.ts";

/** An input before it has a path in a workspace. */
export type ReadyInput = Omit<PromptInput, "path">;

/** The inputs of one attempt. */
export interface AttemptStart {
  readonly step: Step;
  readonly attempt: number;
  readonly adapter: Adapter;
  readonly fingerprint: FingerprintRef;
  readonly inputs: readonly ReadyInput[];
  readonly feedback?: Feedback;
  /** The changeset over the project that the workspace starts with. */
  readonly startFrom: () => Promise<Result<Changeset>>;
  /** The output of a cached result: the persona does not run, and the contracts are evaluated on this. */
  readonly stored?: { readonly artifacts: readonly ArtifactRef[]; readonly changes?: ChangesRef };
}

/** How an attempt ended, and its output. */
export type AttemptEnd = Verdict & {
  readonly artifacts: readonly ArtifactRef[];
  readonly changes?: ChangesRef;
  readonly results: readonly ContractResult[];
  /** The end of the adapter's output. */
  readonly tail?: string;
  readonly log?: Digest;
  readonly usage?: Usage;
  readonly durationMs: number;
};

export type FailedEnd = Extract<AttemptEnd, { status: "failed" }>;

/** Filled in stage by stage, so that a failed attempt keeps the results of the stages before. */
interface Progress {
  artifacts: readonly ArtifactRef[];
  changes?: ChangesRef;
  results: readonly ContractResult[];
  tail?: string;
  log?: Digest;
  usage?: Usage;
  readonly onUsage: (usage: Usage) => void;
}

type Verdict = { readonly status: "passed" } | { readonly status: "cancelled" } | { readonly status: "failed"; readonly failure: Failure };

const cancelled: Verdict = { status: "cancelled" };

/** Spawns nothing once the signal is aborted. Throws only for bugs, after discarding the workspace and closing the log. */
export async function runAttempt(
  context: ExecuteContext,
  start: AttemptStart,
  signal: AbortSignal,
  onUsage: (usage: Usage) => void = () => undefined,
): Promise<AttemptEnd> {
  const { clock } = context.services;
  const startedAt = clock.monotonic();
  const progress: Progress = { artifacts: [], results: [], onUsage };
  const verdict = await inWorkspace(context, start, signal, progress);
  const { onUsage: _, ...output } = progress;
  return { ...verdict, ...output, durationMs: clock.monotonic() - startedAt };
}

async function inWorkspace(context: ExecuteContext, start: AttemptStart, signal: AbortSignal, progress: Progress): Promise<Verdict> {
  if (signal.aborted) return cancelled;
  const { step, attempt } = start;
  const { run, services, attempts } = context;
  const inputs = await inputFiles(services.blobs, start.inputs);
  if (!inputs.ok) return unlessAborted(signal, inputs.error);
  const promptInputs = await withInlineTexts(services.blobs, start.inputs);
  let prompt: string | undefined;
  const assemble = (paths: WorkspacePaths) => {
    prompt ??= attempts.assemblePrompt(promptParts(context, { ...start, inputs: promptInputs }, paths));
    return prompt;
  };
  const changes = await start.startFrom();
  if (!changes.ok) return unlessAborted(signal, changes.error);
  const opened = await services.workspaces.open({
    runId: run.runId,
    step,
    attempt,
    inputs: inputs.value,
    task: assemble,
    ...(changes.value.length === 0 ? {} : { start: changes.value }),
  });
  if (!opened.ok) return unlessAborted(signal, opened.error);
  const workspace = opened.value;
  const log = attempts.openLog(step, attempt);
  let verdict: Verdict = cancelled;
  let stored: Result<Digest | undefined> = ok(undefined);
  try {
    verdict = await workAndVerify(context, start, { workspace, log, signal, prompt: assemble(workspace.paths) }, progress);
    if (verdict.status === "failed") verdict = { ...verdict, failure: withDenials(verdict.failure, denialsOf(step, workspace, progress)) };
  } finally {
    await workspace.discard(verdict.status === "passed" ? "passed" : "failed");
    stored = await storeLog(attempts, log);
  }
  if (stored.ok && stored.value !== undefined) progress.log = stored.value;
  return stored.ok || verdict.status !== "passed" ? verdict : { status: "failed", failure: stored.error };
}

interface OpenAttempt {
  readonly workspace: Workspace;
  readonly log: AttemptLog;
  readonly signal: AbortSignal;
  readonly prompt: string;
}

/** Runs the persona, unless the output is stored, and evaluates the contracts. */
async function workAndVerify(context: ExecuteContext, start: AttemptStart, open: OpenAttempt, progress: Progress): Promise<Verdict> {
  const { step, attempt, stored } = start;
  if (stored?.changes !== undefined) progress.changes = stored.changes;
  for (const { type } of step.contracts) context.services.contractTypes.get(type)?.warm?.();
  const artifacts = stored === undefined ? await produce(context, start, open, progress) : ok(stored.artifacts);
  if (!artifacts.ok) return unlessAborted(open.signal, artifacts.error);
  progress.artifacts = artifacts.value;
  const { workspace, signal, log } = open;
  const id = { runId: context.run.runId, number: attempt };
  progress.results = await verifyContracts(context, { step, attempt: id, workspace, artifacts: artifacts.value, signal, log });
  if (progress.results.length < step.contracts.length) return cancelled;
  const failure = failureOf(progress.results);
  return failure === undefined ? { status: "passed" } : unlessAborted(signal, failure);
}

/** Runs the persona and collects its artifacts. */
async function produce(
  context: ExecuteContext,
  start: AttemptStart,
  open: OpenAttempt,
  progress: Progress,
): Promise<Result<readonly ArtifactRef[]>> {
  const { step, attempt, adapter, fingerprint } = start;
  const { workspace, log, signal, prompt } = open;
  if (signal.aborted) return err(cancelledBy(signal));
  const { run, attempts } = context;
  notePaths(log, "warning: not in the workspace, because they cannot be read", workspace.unreadable ?? []);
  const env = { ...attempts.traceEnv?.(step, attempt), ...step.env, ...attempts.secretsOf(step) };
  const onUsage = (usage: Usage) => {
    progress.usage = usage;
    progress.onUsage(usage);
  };
  const outcome = await adapter.run({
    step,
    attempt: { runId: run.runId, number: attempt },
    workspace,
    prompt,
    fingerprint,
    files: run.contractFiles,
    env,
    signal,
    log,
    onUsage,
  });
  const tail = log.tail();
  if (tail !== "") progress.tail = tail;
  for (const denial of denialsOf(step, workspace, progress)) note(log, describeDenial(denial));
  if (!outcome.ok) return outcome;
  // The output of a child that was stopped may be incomplete.
  if (signal.aborted) return err(cancelledBy(signal));
  const stored = await storeChanges(context, step, open);
  if (!stored.ok) return stored;
  const { changes, changed } = stored.value;
  if (changes !== undefined) progress.changes = changes;
  const { finalMessage } = outcome.value;
  const collected = await attempts.collect({ step, workspace, prompt, ...defined({ finalMessage }) });
  if (!collected.ok) return collected;
  const detail = emptyOutputReason(step, { changed, artifacts: collected.value, finalMessage });
  return detail === undefined ? collected : err({ reason: "empty-output", detail });
}

interface StoredChanges {
  readonly changes?: ChangesRef;
  /** Undefined if the workspace does not record changes. */
  readonly changed: boolean | undefined;
}

/** How many paths an event or a note lists; the rest are counted. */
const maxListedPaths = 20;

function notePaths(log: AttemptLog, what: string, paths: readonly string[]): void {
  if (paths.length === 0) return;
  const rest = paths.length > maxListedPaths ? ` and ${paths.length - maxListedPaths} more` : "";
  const named = paths.slice(0, maxListedPaths).map(printable).join(", ");
  note(log, `${what}: ${named}${rest}`);
}

function note(log: AttemptLog, text: string): void {
  log.write(Buffer.from(`\n[wave: ${printable(text)}]\n`), "stderr");
}

/** Connections that the sandbox refused, and denials that the end of the adapter's output shows. */
function denialsOf(step: Step, workspace: Workspace, { tail = "" }: Progress): readonly Denial[] {
  return [...(workspace.denied?.() ?? []), ...denialsIn(step, workspace.paths.root, tail)];
}

/** Stores the attempt's changeset after checking that the step may write these files. */
async function storeChanges(context: ExecuteContext, step: Step, { workspace, log }: OpenAttempt): Promise<Result<StoredChanges>> {
  const collected = await workspace.changeset();
  if (!collected.ok) return collected;
  if (collected.value === undefined) return ok({ changed: undefined });
  const { changes, ignored } = collected.value;
  notePaths(log, "not kept, because a changed .gitignore ignores them", ignored);
  if (changes.length === 0) return ok({ changed: false });
  const violation = writeViolation(step, changes);
  if (violation !== undefined) return err(violation);
  const stored = await context.services.changes.keep(changes);
  if (!stored.ok) return stored;
  const skipped = ignored.length === 0 ? {} : { ignored: { count: ignored.length, paths: ignored.slice(0, maxListedPaths) } };
  return ok({ changes: { ...stored.value, ...skipped }, changed: true });
}

/** A failure of an attempt that is being stopped is a consequence of the stop. */
function unlessAborted(signal: AbortSignal, failure: Failure): Verdict {
  return signal.aborted ? cancelled : { status: "failed", failure };
}

function cancelledBy(signal: AbortSignal): Failure {
  return { reason: "cancelled", by: String(signal.reason) };
}

async function inputFiles(blobs: BlobStore, inputs: readonly ReadyInput[]): Promise<Result<OpenWorkspace["inputs"]>> {
  const files: { name: string; source: string; mediaType: string }[] = [];
  for (const { name, digest, mediaType, from } of inputs) {
    const source = await blobs.pathOf(digest);
    if (!source.ok) return err({ reason: "input-unavailable", input: name, from, detail: `its blob ${digest} is missing or damaged` });
    files.push({ name, source: source.value, mediaType });
  }
  return ok(files);
}

function promptParts({ run }: ExecuteContext, start: AttemptStart, paths: WorkspacePaths): PromptParts {
  const { step, attempt, feedback } = start;
  const inputs = start.inputs.map((input) => ({ ...input, path: path.join(paths.inputs, input.name) }));
  return { step, runId: run.runId, attempt, paths, inputs, files: run.contractFiles, ...defined({ feedback, runInput: run.input }) };
}

async function storeLog(hooks: AttemptHooks, log: AttemptLog): Promise<Result<Digest | undefined>> {
  const closed = await log.close();
  if (!closed.ok) return closed;
  return hooks.storeLog === undefined || closed.value.size === 0 ? ok(undefined) : hooks.storeLog(closed.value.path);
}
