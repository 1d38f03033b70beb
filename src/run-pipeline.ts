/**
 * The spine: load → validate → plan → execute → report, read once and understood. `open-project.ts` is its first chapter;
 * `resume-run.ts` is the way back in after a failure.
 */
import { randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { collectArtifacts } from "./artifact/collect.ts";
import { contractTypes } from "./contract/contract-types.ts";
import { executePlan } from "./execute/execute-plan.ts";
import { type Digest, digestOfBytes } from "./model/digest.ts";
import type { BaseRef, EventPayload, FingerprintRef, RunOptions, WaveEvent } from "./model/event.ts";
import type { Failure } from "./model/failure.ts";
import type { ValidatedProject } from "./model/loaded.ts";
import { enforcementOf, readFilter, unenforceable, viewKey } from "./model/permissions.ts";
import type { Pipeline, Step } from "./model/pipeline.ts";
import type { Plan } from "./model/plan.ts";
import type { Adapter, Journal, Reporter } from "./model/ports.ts";
import { err, ok, type Result } from "./model/result.ts";
import type { PassedWork, RunRecord, StepRecord } from "./model/state.ts";
import { type Environment, locateProject, type Memory, openMemory, type ProjectRequest, type ReadProject, readProject, requireValid } from "./open-project.ts";
import { commandAdapter } from "./persona/command.ts";
import { assemblePrompt } from "./persona/prompt.ts";
import { baseFor } from "./plan/base-for.ts";
import { fingerprintStep, gateFilesOf } from "./plan/fingerprint.ts";
import { matchWork } from "./plan/match-work.ts";
import { planPipeline } from "./plan/plan-pipeline.ts";
import { systemClock } from "./platform/clock.ts";
import { pinFiles } from "./state/pinned-manifest.ts";
import { selectPipeline } from "./validate/select-pipeline.ts";
import { openAttemptLog } from "./workspace/attempt-log.ts";
import { takeBase } from "./workspace/base.ts";
import { sharedProvider } from "./workspace/shared.ts";

/** What a plan is made for. */
export interface PlanRequest extends ProjectRequest {
  /** NAME or NAME@VERSION; nothing where the manifest has one pipeline. */
  readonly pipeline?: string;
  /** The run's input text. */
  readonly input?: string;
}

/** A plan, and what it was made from. */
export interface PlannedRun {
  readonly read: ReadProject;
  readonly project: ValidatedProject;
  readonly memory: Memory;
  readonly plan: Plan;
  /** What fingerprints are taken over. */
  readonly base: BaseRef;
  /** The project's tree as it is now. */
  readonly tree: Digest;
  readonly passed: readonly PassedWork[];
  readonly inputDigest?: Digest;
  readonly fingerprintOf: (step: Step, inputs: Readonly<Record<string, Digest>>) => FingerprintRef;
}

export interface RunRequest extends PlanRequest {
  readonly concurrency?: number;
  readonly onFailure: RunOptions["onFailure"];
  /** Take equal, passed work from earlier runs, whatever the manifest says. */
  readonly reuse: boolean;
  readonly resetCircuit: boolean;
  readonly signal: AbortSignal;
  /** Made once the plan is known, so that a live view can show steps that have not begun. */
  readonly reporter: (plan: Plan) => Promise<Reporter>;
}

/** A run that came to its end; `failure` says why it did not pass. */
export interface FinishedRun {
  readonly planned: PlannedRun;
  readonly run: RunRecord;
  readonly failure?: Failure;
}

const adapters: ReadonlyMap<string, Adapter> = new Map([["command", commandAdapter()]]);

/** Load → validate → plan. `withHistory` asks state what passed before; a run that reuses nothing need not know. */
export async function planRun(request: PlanRequest, withHistory: (pipeline: Pipeline) => boolean): Promise<Result<PlannedRun>> {
  const located = locateProject(request);
  if (!located.ok) return located;
  const read = await readProject(request, located.value);
  if (!read.ok) return read;
  const project = requireValid(read.value);
  if (!project.ok) return project;
  const pipeline = selectPipeline(project.value, request.pipeline);
  if (!pipeline.ok) return pipeline;
  const memory = openMemory(read.value, request.env);
  return planSelected({ read: read.value, project: project.value, memory }, pipeline.value, withHistory(pipeline.value), request.input);
}

/** Load → validate → plan → execute → report. */
export async function runPipeline(request: RunRequest): Promise<Result<FinishedRun>> {
  const planned = await planRun(request, (pipeline) => request.reuse || pipeline.steps.some((step) => step.reuse));
  if (!planned.ok) return planned;
  const refused = await refusalOf(planned.value.plan.pipeline);
  if (refused !== undefined) return err(refused);
  const run = randomBytes(5).toString("hex");
  const journal = await planned.value.memory.state.openJournal(run);
  if (!journal.ok) return journal;
  const options = optionsOf(request, planned.value);
  const begun = await beginRun(planned.value, options, request.input);
  if (!begun.ok) return begun;
  return execute(planned.value, { ...request, run, journal: journal.value, first: begun.value, options, prior: new Map() });
}

/** What a run needs beyond its plan. A resumed run brings what it already has. */
export interface Execution {
  readonly run: string;
  readonly journal: Journal;
  /** `run-started` or `run-resumed`. */
  readonly first: EventPayload;
  readonly options: RunOptions;
  readonly prior: ReadonlyMap<string, StepRecord>;
  readonly env: Environment;
  readonly input?: string;
  readonly resetCircuit: boolean;
  readonly signal: AbortSignal;
  readonly reporter: (plan: Plan) => Promise<Reporter>;
}

/** Execute → report, from an open journal to the finished record. */
export async function execute(planned: PlannedRun, execution: Execution): Promise<Result<FinishedRun>> {
  const { plan, memory, tree, passed, read } = planned;
  const { run, journal, options } = execution;
  const reporter = await execution.reporter(plan);
  let begun = 0;
  const publish = (events: readonly WaveEvent[]) => {
    for (const event of events) {
      if (event.type === "attempt-started") begun += 1;
      reporter.onEvent(event);
    }
  };
  const first = await journal.append([execution.first]);
  if (!first.ok) return first;
  publish(first.value);
  const outcome = await executePlan({
    plan, run, journal, publish,
    state: memory.state, blobs: memory.blobs, clock: systemClock, random: Math.random,
    workspaces: sharedProvider({ root: read.root, stateDir: memory.stateDir, env: execution.env }),
    adapters, contractTypes, files: planned.project.gateFiles,
    signal: execution.signal,
    options: { concurrency: options.concurrency, onFailure: options.onFailure, resetCircuit: execution.resetCircuit },
    prior: execution.prior,
    fingerprintOf: planned.fingerprintOf,
    matchWork: (step, fingerprint) => (options.reuse || step.reuse ? matchWork(step, fingerprint, passed, tree) : { kind: "new" }),
    stillHolds: changeWatch(planned, () => begun),
    secretsOf: (step) => secretsOf(step, execution.env),
    assemblePrompt,
    openLog: (step, attempt) =>
      openAttemptLog({
        path: `${memory.stateDir}/logs/${run}/${step.id}.${attempt}.log`,
        redactor: memory.redactor,
        onText: (text) => reporter.onOutput?.({ step: step.id, attempt, text }),
      }),
    collect: (request) => collectArtifacts({ ...request, blobs: memory.blobs, redactor: memory.redactor }),
    storeLog: (path) => storeLog(memory, path),
    treeAfter: () => treeOf(read.root, memory.stateDir),
    ...(execution.input === undefined ? {} : { runInput: execution.input }),
  });
  const closed = await journal.close();
  await reporter.close();
  if (!outcome.ok) return outcome;
  if (!closed.ok) return closed;
  const record = await memory.state.findRun(run);
  if (!record.ok) return record;
  return ok({ planned, run: record.value, ...(outcome.value.failure === undefined ? {} : { failure: outcome.value.failure }) });
}

/** Plans a pipeline of a project that is open; `pinned` is the base of a run that is resumed. */
export async function planSelected(
  open: Pick<PlannedRun, "read" | "project" | "memory">, pipeline: Pipeline, withHistory: boolean, input: string | undefined, pinned?: BaseRef,
): Promise<Result<PlannedRun>> {
  const { read, project, memory } = open;
  const views = new Map(pipeline.steps.map((step) => [viewKey(step), readFilter(step.permissions)]));
  const current = pinned === undefined ? await takeBase(read.root, memory.stateDir, views) : ok(pinned);
  if (!current.ok) return current;
  const history = withHistory ? await historyOf(memory, pipeline, current.value) : ok({ passed: [], ending: [] });
  if (!history.ok) return history;
  const base = baseFor(current.value, history.value.ending);
  const adapterVersions = await versionsOf(pipeline);
  if (!adapterVersions.ok) return adapterVersions;
  const { tree } = current.value;
  const common = { base, tree, platform: `${process.platform}-${process.arch}`, gateFiles: project.gateFiles };
  const runInput = input === undefined ? {} : { runInput: digestOfBytes(input) };
  const plan = planPipeline({ ...common, ...runInput, pipeline, passed: history.value.passed, adapterVersions: adapterVersions.value, enforcement: (step) => enforcementOf(step) });
  const fingerprintOf = (step: Step, inputs: Readonly<Record<string, Digest>>) =>
    fingerprintStep({
      step, inputs, ...runInput, platform: common.platform,
      base: base.views[viewKey(step)] ?? base.tree,
      tree: base.tree,
      gateFiles: gateFilesOf(step, project.gateFiles),
      adapterVersion: adapterVersions.value.get(step.id) ?? "",
    });
  const inputDigest = input === undefined ? {} : { inputDigest: digestOfBytes(input) };
  return ok({ ...open, plan, base, tree, passed: history.value.passed, fingerprintOf, ...inputDigest });
}

/** Why this environment cannot run the pipeline, before any work: no adapter, or a deny that nobody enforces. */
export async function refusalOf(pipeline: Pipeline): Promise<Failure | undefined> {
  for (const step of pipeline.steps) {
    const missing = adapterProblem(step);
    if (missing !== undefined) return { reason: "adapter-missing", step: step.id, persona: step.persona.name, ...missing };
  }
  const rules = unenforceable(pipeline);
  return rules.length === 0 ? undefined : { reason: "permission-unenforceable", rules };
}

function adapterProblem(step: Step): { adapter?: string; detail: string; hint: string } | undefined {
  const choice = step.adapter;
  if (choice === undefined) {
    return { detail: "no adapter is chosen for it", hint: "set `defaults.adapter`, or choose one with --adapter" };
  }
  if (!adapters.has(choice.name)) {
    const hint = `available: ${[...adapters.keys()].join(", ")}; choose one with --adapter`;
    return { adapter: choice.name, detail: `adapter \`${choice.name}\` is not available in this version of wave`, hint };
  }
  if (choice.name === "command" && choice.command === undefined) {
    const hint = "give the persona a `command:`, or set `adapters: { command: { command: [program, argument] } }`";
    return { adapter: choice.name, detail: "adapter `command` has no command to run", hint };
  }
  return undefined;
}

async function beginRun(planned: PlannedRun, options: RunOptions, input: string | undefined): Promise<Result<EventPayload>> {
  const { memory, plan, base, read } = planned;
  const files = new Map<string, Uint8Array>();
  for (const [path, file] of read.loaded.files) if (file.kind === "text") files.set(path, Buffer.from(file.text));
  const manifest = await pinFiles(memory.blobs, files);
  if (!manifest.ok) return manifest;
  if (input !== undefined) {
    const stored = await memory.blobs.put(Buffer.from(memory.redactor.text(input)));
    if (!stored.ok) return stored;
  }
  const { name, version, steps } = plan.pipeline;
  return ok({
    type: "run-started",
    pipeline: name,
    ...(version === undefined ? {} : { version }),
    manifest: manifest.value,
    options,
    base,
    steps: steps.map((step) => ({
      id: step.id, persona: step.persona.name, dependencies: [...step.dependencies], optional: step.optional, contracts: step.contracts.map((contract) => contract.name),
    })),
  });
}

function optionsOf(request: RunRequest, planned: PlannedRun): RunOptions {
  const { read, plan } = planned;
  return {
    files: [...read.files],
    ...(read.environment === undefined ? {} : { environment: read.environment }),
    ...(read.adapter === undefined ? {} : { adapter: read.adapter }),
    concurrency: request.concurrency ?? plan.pipeline.concurrency ?? defaultConcurrency(),
    onFailure: request.onFailure,
    reuse: request.reuse,
    ...(request.input === undefined ? {} : { input: digestOfBytes(planned.memory.redactor.text(request.input)) }),
  };
}

function defaultConcurrency(): number {
  return Math.min(8, Math.max(1, availableParallelism()));
}

async function historyOf(memory: Memory, pipeline: Pipeline, base: BaseRef): Promise<Result<{ passed: readonly PassedWork[]; ending: readonly RunRecord[] }>> {
  const passed = await memory.state.passedWork(pipeline.name);
  if (!passed.ok) return passed;
  const ending = await memory.state.runsEndingAt(pipeline.name, base.tree);
  return ending.ok ? ok({ passed: passed.value, ending: ending.value }) : ending;
}

async function versionsOf(pipeline: Pipeline): Promise<Result<ReadonlyMap<string, string>>> {
  const versions = new Map<string, string>();
  for (const step of pipeline.steps) {
    const adapter = step.adapter === undefined ? undefined : adapters.get(step.adapter.name);
    if (adapter === undefined) continue;
    const version = await adapter.version(step);
    if (!version.ok) return version;
    versions.set(step.id, version.value);
  }
  return ok(versions);
}

function secretsOf(step: Step, env: Environment): Record<string, string> {
  return Object.fromEntries(step.secrets.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** Looks at the project again only when attempts have begun since it last looked. */
function changeWatch({ read, memory, tree }: PlannedRun, begun: () => number): () => Promise<boolean> {
  let looked = 0;
  let same = true;
  return async () => {
    if (begun() === looked || !same) return same;
    looked = begun();
    same = (await treeOf(read.root, memory.stateDir)) === tree;
    return same;
  };
}

/** A step that printed nothing leaves no file, and no blob. */
async function storeLog(memory: Memory, path: string): Promise<Result<Digest | undefined>> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch {
    return ok(undefined);
  }
  if (bytes.length === 0) return ok(undefined);
  const stored = await memory.blobs.put(bytes);
  if (!stored.ok) return stored;
  await rm(path, { force: true });
  return ok(stored.value.digest);
}

async function treeOf(root: string, stateDir: string): Promise<Digest | undefined> {
  const after = await takeBase(root, stateDir, new Map());
  return after.ok ? after.value.tree : undefined;
}
