/**
 * One attempt, from an open workspace to a verdict: inputs, workspace, prompt, adapter, changeset, artifacts, contracts. It
 * asks nobody whether it may begin, writes no events, and does not know whether another attempt follows.
 */

import path from "node:path";
import type { Changeset } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import type { Digest } from "../core/digest.ts";
import { emptyOutputReason } from "../core/empty-output.ts";
import type { ArtifactRef, ChangesRef, FingerprintRef } from "../core/event.ts";
import type { ContractResult, Failure } from "../core/failure.ts";
import type { Feedback } from "../core/feedback.ts";
import type { Step } from "../core/pipeline.ts";
import type { Adapter, OpenWorkspace, Workspace, WorkspacePaths } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { Usage } from "../core/usage.ts";
import { withInlineTexts } from "../prompt/inline-text.ts";
import { printable } from "../text/printable.ts";
import { writeViolation } from "./changes.ts";
import type { AttemptLog, ExecuteContext, PromptInput, PromptParts } from "./context.ts";
import { failureOf, verifyContracts } from "./verify-contracts.ts";

/** An input that is there, before it lies anywhere. */
export type ReadyInput = Omit<PromptInput, "path">;

/** What an attempt starts from. */
export interface AttemptStart {
  readonly step: Step;
  readonly attempt: number;
  readonly adapter: Adapter;
  readonly fingerprint: FingerprintRef;
  readonly inputs: readonly ReadyInput[];
  readonly feedback?: Feedback;
  /** What lies over the project when it begins. */
  readonly startFrom: () => Promise<Result<Changeset>>;
  /** What equal work left: only the contracts are evaluated, on this. */
  readonly stored?: { readonly artifacts: readonly ArtifactRef[]; readonly changes?: ChangesRef };
}

/** How an attempt ended, and what it left. */
export type AttemptEnd = Verdict & {
  readonly artifacts: readonly ArtifactRef[];
  readonly changes?: ChangesRef;
  readonly results: readonly ContractResult[];
  /** The end of what the adapter printed. */
  readonly tail?: string;
  readonly log?: Digest;
  readonly usage?: Usage;
  readonly durationMs: number;
};

export type FailedEnd = Extract<AttemptEnd, { status: "failed" }>;

/** What is known so far; stages add to it, so that a failure keeps what came before it. */
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

/** Runs one attempt. Spawns nothing once the signal is aborted. Throws only for bugs, with workspace and log given back. */
export async function runAttempt(
  context: ExecuteContext,
  start: AttemptStart,
  signal: AbortSignal,
  onUsage: (usage: Usage) => void = () => undefined,
): Promise<AttemptEnd> {
  const began = context.clock.monotonic();
  const progress: Progress = { artifacts: [], results: [], onUsage };
  const verdict = await inWorkspace(context, start, signal, progress);
  const { onUsage: _, ...known } = progress;
  return { ...verdict, ...known, durationMs: context.clock.monotonic() - began };
}

async function inWorkspace(context: ExecuteContext, start: AttemptStart, signal: AbortSignal, progress: Progress): Promise<Verdict> {
  if (signal.aborted) return cancelled;
  const { step, attempt } = start;
  const inputs = await findInputs(context, start.inputs);
  if (!inputs.ok) return unlessAborted(signal, inputs.error);
  const told = await withInlineTexts(context.blobs, start.inputs);
  let prompt: string | undefined;
  const assemble = (paths: WorkspacePaths) => {
    prompt ??= context.assemblePrompt(promptParts(context, { ...start, inputs: told }, paths));
    return prompt;
  };
  const begin = await start.startFrom();
  if (!begin.ok) return unlessAborted(signal, begin.error);
  const opened = await context.workspaces.open({
    run: context.run,
    step,
    attempt,
    inputs: inputs.value,
    task: assemble,
    ...(begin.value.length === 0 ? {} : { start: begin.value }),
  });
  if (!opened.ok) return unlessAborted(signal, opened.error);
  const workspace = opened.value;
  const log = context.openLog(step, attempt);
  let verdict: Verdict = cancelled;
  let kept: Result<Digest | undefined> = ok(undefined);
  try {
    verdict = await work(context, start, { workspace, log, signal, prompt: assemble(workspace.paths) }, progress);
  } finally {
    await workspace.discard(verdict.status === "passed" ? "passed" : "failed");
    kept = await keepLog(context, log);
  }
  if (kept.ok && kept.value !== undefined) progress.log = kept.value;
  return kept.ok || verdict.status !== "passed" ? verdict : { status: "failed", failure: kept.error };
}

interface OpenAttempt {
  readonly workspace: Workspace;
  readonly log: AttemptLog;
  readonly signal: AbortSignal;
  readonly prompt: string;
}

async function work(context: ExecuteContext, start: AttemptStart, open: OpenAttempt, progress: Progress): Promise<Verdict> {
  const { step, attempt, stored } = start;
  if (stored?.changes !== undefined) progress.changes = stored.changes;
  for (const { type } of step.contracts) context.contractTypes.get(type)?.warm?.();
  const artifacts = stored === undefined ? await produce(context, start, open, progress) : ok(stored.artifacts);
  if (!artifacts.ok) return unlessAborted(open.signal, artifacts.error);
  progress.artifacts = artifacts.value;
  const { workspace, signal, log } = open;
  progress.results = await verifyContracts(context, { step, attempt, workspace, artifacts: artifacts.value, signal, log });
  if (progress.results.length < step.contracts.length) return cancelled;
  const failure = failureOf(progress.results);
  return failure === undefined ? { status: "passed" } : unlessAborted(signal, failure);
}

/** Runs the persona and takes its artifacts. */
async function produce(
  context: ExecuteContext,
  start: AttemptStart,
  open: OpenAttempt,
  progress: Progress,
): Promise<Result<readonly ArtifactRef[]>> {
  const { step, attempt, adapter, fingerprint } = start;
  const { workspace, log, signal, prompt } = open;
  if (signal.aborted) return err(cancelledBy(signal));
  notePaths(log, "warning: not in the workspace, because they cannot be read", workspace.unreadable ?? []);
  const env = { ...context.handedTo?.(step, attempt), ...step.env, ...context.secretsOf(step) };
  const onUsage = (usage: Usage) => {
    progress.usage = usage;
    progress.onUsage(usage);
  };
  const { run, files } = context;
  const asked = { step, attempt, run, workspace, prompt, fingerprint, files, env, resources: step.resources, signal, log, onUsage };
  const outcome = await adapter.run(asked);
  const tail = log.tail();
  if (tail !== "") progress.tail = tail;
  if (!outcome.ok) return outcome;
  // What a child had done when it was told to stop is not known to be whole.
  if (signal.aborted) return err(cancelledBy(signal));
  const kept = await keepChanges(context, step, open);
  if (!kept.ok) return kept;
  const { changes, changed } = kept.value;
  if (changes !== undefined) progress.changes = changes;
  const { finalMessage } = outcome.value;
  const collected = await context.collect({ step, workspace, prompt, ...defined({ finalMessage }) });
  if (!collected.ok) return collected;
  const detail = emptyOutputReason(step, { changed, artifacts: collected.value, finalMessage });
  return detail === undefined ? collected : err({ reason: "empty-output", detail });
}

interface KeptChanges {
  readonly changes?: ChangesRef;
  /** Undefined where the workspace cannot tell. */
  readonly changed: boolean | undefined;
}

/** Paths that an event names; the rest are counted. */
const mostNamed = 20;

function notePaths(log: AttemptLog, what: string, paths: readonly string[]): void {
  if (paths.length === 0) return;
  const rest = paths.length > mostNamed ? ` and ${paths.length - mostNamed} more` : "";
  const named = paths.slice(0, mostNamed).map(printable).join(", ");
  log.write(Buffer.from(`\n[wave: ${what}: ${named}${rest}]\n`), "stderr");
}

/** Stores the attempt's changeset after checking that the step may make it. */
async function keepChanges(context: ExecuteContext, step: Step, { workspace, log }: OpenAttempt): Promise<Result<KeptChanges>> {
  const collected = await workspace.changeset();
  if (!collected.ok) return collected;
  if (collected.value === undefined) return ok({ changed: undefined });
  const { changes, ignored } = collected.value;
  notePaths(log, "not kept, because a changed .gitignore ignores them", ignored);
  if (changes.length === 0) return ok({ changed: false });
  const violation = writeViolation(step, changes);
  if (violation !== undefined) return err(violation);
  const kept = await context.changes.keep(changes);
  if (!kept.ok) return kept;
  const left = ignored.length === 0 ? {} : { ignored: { count: ignored.length, paths: ignored.slice(0, mostNamed) } };
  return ok({ changes: { ...kept.value, ...left }, changed: true });
}

/** What goes wrong while a run is being stopped is part of stopping it. */
function unlessAborted(signal: AbortSignal, failure: Failure): Verdict {
  return signal.aborted ? cancelled : { status: "failed", failure };
}

function cancelledBy(signal: AbortSignal): Failure {
  return { reason: "cancelled", by: String(signal.reason) };
}

async function findInputs(context: ExecuteContext, inputs: readonly ReadyInput[]): Promise<Result<OpenWorkspace["inputs"]>> {
  const found: { name: string; source: string; mediaType: string }[] = [];
  for (const { name, digest, mediaType, from } of inputs) {
    const source = await context.blobs.pathOf(digest);
    if (!source.ok)
      return err({ reason: "input-unavailable", input: name, from, detail: `its blob ${digest} is gone or is not what was written` });
    found.push({ name, source: source.value, mediaType });
  }
  return ok(found);
}

function promptParts(context: ExecuteContext, start: AttemptStart, paths: WorkspacePaths): PromptParts {
  const { step, attempt, feedback } = start;
  const inputs = start.inputs.map((input) => ({ ...input, path: path.join(paths.inputs, input.name) }));
  const optional = {
    ...defined({ feedback, runInput: context.runInput }),
  };
  return { step, run: context.run, attempt, paths, inputs, files: context.files, ...optional };
}

async function keepLog(context: ExecuteContext, log: AttemptLog): Promise<Result<Digest | undefined>> {
  const closed = await log.close();
  if (!closed.ok) return closed;
  return context.storeLog === undefined || closed.value.size === 0 ? ok(undefined) : context.storeLog(closed.value.path);
}
