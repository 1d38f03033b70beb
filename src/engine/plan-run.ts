/** Plans a run of an opened project, and explains why this environment cannot execute it. Used by `wave plan`, `run` and `resume`. */

import { reverse } from "../changeset/combine-changes.ts";
import { readChangeset } from "../changeset/read-changeset.ts";
import type { Changeset } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import { type Digest, digestOfBytes } from "../core/digest.ts";
import { isSandboxed, unenforceable, wantsIsolation } from "../core/enforcement.ts";
import type { BaseRef, FingerprintRef } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { ignoredViews } from "../core/ignored-views.ts";
import { readFilter, viewKey } from "../core/permissions.ts";
import type { Pipeline, Step } from "../core/pipeline.ts";
import type { DependencyDirectory, Plan } from "../core/plan.ts";
import type { Adapter, TrustedFiles } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { CachedResult, RunRecord } from "../core/state.ts";
import { baseFor } from "../planner/base-for.ts";
import { contractFilesOf, fingerprintBase, fingerprintStep } from "../planner/fingerprint.ts";
import { planPipeline } from "../planner/plan-pipeline.ts";
import { outdatedGit } from "../platform/git.ts";
import { oldestGit } from "../platform/git-version.ts";
import { type Isolation, noIsolation, probeIsolation } from "../sandbox/isolation.ts";
import { printable } from "../text/printable.ts";
import { type BaseFiles, listProject, readBase } from "../workspace/base.ts";
import { gitRefusal } from "../workspace/base-git.ts";
import { locateProject, type OpenProject, openProject, type ProjectRequest, type RunStore } from "./open-project.ts";
import { digestProtected } from "./protected-files.ts";

export interface PlanRequest {
  readonly project: ProjectRequest;
  /** NAME or NAME@VERSION. May be undefined if the manifest has one pipeline. */
  readonly pipeline?: string;
  /** The run's input text. */
  readonly input?: string;
  /** Returns the changeset from the current project to the tree that the run starts with. Defaults to what state records. */
  readonly startChangeset?: (planned: PlannedRun) => Promise<Result<Changeset>>;
  /** Whether the plan is executed next. Defaults to false. */
  readonly executes?: boolean;
}

/** An opened project, and the plan of one of its pipelines. */
export interface PlannedRun extends OpenProject {
  readonly plan: Plan;
  readonly start: StartingTree;
  /** Results of earlier runs; empty if the run reuses none. */
  readonly cachedResults: readonly CachedResult[];
  /** The isolation that this environment supports. */
  readonly isolation: Isolation;
  readonly fingerprintOf: (step: Step, inputs: Readonly<Record<string, Digest>>, changes: Digest | undefined) => FingerprintRef;
}

/** The project's tree that a run starts from. */
export interface StartingTree {
  /** Fingerprints are computed over it. */
  readonly base: BaseRef;
  /** The project's current tree. */
  readonly tree: Digest;
  /** The project's current files. Undefined for a resumed run before `detectDrift`. */
  readonly files?: BaseFiles;
  /** The trusted source, if that is a commit. Undefined if it is the base of the run. */
  readonly trustedFiles?: TrustedFiles;
  /** Leads from the current project to the base: not empty if changes of an earlier run are applied over it. */
  readonly rollback: Changeset;
}

/** Load → validate → plan. `usesHistory`: whether the run may reuse results, so that earlier runs are read. */
export async function planRun(request: PlanRequest, usesHistory: (pipeline: Pipeline) => boolean): Promise<Result<PlannedRun>> {
  const { project: projectRequest } = request;
  const located = locateProject(projectRequest);
  if (!located.ok) return located;
  const { root } = located.value;
  const listing = projectRequest.known?.listing ?? listProject(root);
  const opened = await openProject(projectRequest, located.value, request.pipeline);
  if (!opened.ok) return opened;
  const { pipeline, ...project } = opened.value;
  const { store } = project;
  warmUp(request, root, store.stateDir, pipeline);
  let files: BaseFiles | undefined;
  let dependencyDirectories: readonly DependencyDirectory[] | undefined;
  const reuses = usesHistory(pipeline);
  const baseOf = async (views: Views) => {
    const base = await readBase(root, store.stateRoot, views, listing);
    if (!base.ok) return base;
    files = base.value.files;
    if (base.value.base.kind === "files") await warnOfGitRefusal(projectRequest, root);
    const ignored = await files.ignored(ignoredViews(pipeline.steps), reuses ? undefined : ignoredLimits);
    dependencyDirectories = ignored?.dependencies;
    return ok(ignored === undefined ? base.value.base : { ...base.value.base, ignored: ignored.digests });
  };
  const { trustedFiles } = projectRequest.known ?? {};
  const selection = { pipeline, baseOf, usesHistory: reuses, ...defined({ input: request.input, trustedFiles }) };
  const selected = await planPipelineOf(project, selection);
  if (!selected.ok) return selected;
  const plan = { ...selected.value.plan, ...defined({ dependencyDirectories }) };
  const planned: PlannedRun = { ...selected.value, plan, start: { ...selected.value.start, ...defined({ files }) } };
  if (request.startChangeset === undefined) return ok(planned);
  const rollback = await request.startChangeset(planned);
  return rollback.ok ? ok({ ...planned, start: { ...planned.start, rollback: rollback.value } }) : rollback;
}

/** Starts slow probes in processes of their own while the project is read; their results are cached. */
function warmUp({ project: { env }, executes = false }: PlanRequest, root: string, stateDir: string, { steps }: Pipeline): void {
  if (!steps.some(wantsIsolation)) return;
  void probeIsolation({ root, stateDir, env });
  const isRoot = process.platform === "linux" && process.getuid?.() === 0;
  if (!executes || !isRoot || !steps.some(({ sandbox }) => sandbox !== "off")) return;
  // A failure here is reported when the launcher is used.
  import("../sandbox/launch.ts").then(({ prepareLaunch }) => prepareLaunch(env, root)).catch(() => undefined);
}

/** How many ignored files a run without reuse reads, so that a later run can reuse its results: about 50 ms on a slow disk. */
const ignoredLimits = { files: 2000, bytes: 8 << 20 };

/** Warns if git refuses to list the repository, because ignored files then count as project files. */
async function warnOfGitRefusal({ hooks }: ProjectRequest, root: string): Promise<void> {
  const refusal = await gitRefusal(root);
  if (refusal !== undefined) hooks?.warn?.(printable(`ignored files count as project files because git cannot list them (${refusal})`));
}

/** The filters of a pipeline's steps, by key. */
type Views = Parameters<typeof readBase>[2];

/** The pipeline that is planned, and the base that it is planned over. */
export interface PipelineSelection {
  readonly pipeline: Pipeline;
  /** Returns the current project, or the base of a resumed run. */
  readonly baseOf: (views: Views) => Promise<Result<BaseRef>>;
  readonly usesHistory: boolean;
  readonly input?: string;
  readonly trustedFiles?: TrustedFiles;
}

/** Plans a pipeline of an opened project. */
export async function planPipelineOf(opened: OpenProject, selection: PipelineSelection): Promise<Result<PlannedRun>> {
  const { project, store, adapters } = opened;
  const { pipeline, input, trustedFiles } = selection;
  const views = new Map(pipeline.steps.map((step) => [viewKey(step), readFilter(step.permissions)]));
  const current = await selection.baseOf(views);
  if (!current.ok) return current;
  const outdated = await outdatedGit(opened.read.root);
  if (outdated !== undefined) return err({ reason: "git-outdated", version: outdated, oldest: oldestGit });
  const history = selection.usesHistory ? await historyOf(store, pipeline, current.value) : ok({ passed: [], ending: [] });
  if (!history.ok) return history;
  const { passed, ending } = history.value;
  const base = baseFor(current.value, ending);
  const adapterVersions = await versionsOf(pipeline, adapters);
  if (!adapterVersions.ok) return adapterVersions;
  const { tree } = current.value;
  const rollback = await rollbackOf(store, current.value, base, ending);
  if (!rollback.ok) return rollback;
  const isolation = pipeline.steps.some(wantsIsolation)
    ? await probeIsolation({ root: opened.read.root, stateDir: store.stateDir, env: opened.env })
    : noIsolation;
  const protectedFiles = await digestProtected(pipeline, trustedFiles);
  if (!protectedFiles.ok) return protectedFiles;
  const platform = `${process.platform}-${process.arch}`;
  const runInput = input === undefined ? {} : { runInput: digestOfBytes(input) };
  const planned = planPipeline({
    pipeline,
    base,
    tree,
    ...runInput,
    platform,
    contractFiles: project.contractFiles,
    protectedFiles: protectedFiles.value,
    passed,
    adapterVersions: adapterVersions.value,
    sandbox: isolation.sandbox,
  });
  const plan = { ...planned, directoryRenames: isolation.directoryRenames, unshownPlaces: await unshownPlaces(pipeline) };
  const fingerprintOf: PlannedRun["fingerprintOf"] = (step, inputs, changes) => {
    return fingerprintStep({
      step,
      ...defined({ protectedFiles: protectedFiles.value.get(step.id) }),
      inputs,
      ...defined({ changes }),
      ...runInput,
      platform,
      base: fingerprintBase(step, base),
      contractFiles: contractFilesOf(step, project.contractFiles),
      adapterVersion: adapterVersions.value.get(step.id) ?? "",
    });
  };
  const start = { base, tree, rollback: rollback.value, ...defined({ trustedFiles }) };
  return ok({ ...opened, plan, start, cachedResults: passed, isolation, fingerprintOf });
}

async function unshownPlaces({ steps }: Pipeline): Promise<readonly string[]> {
  const paths = new Set(steps.flatMap(({ sandboxShow = [] }) => sandboxShow));
  if (paths.size === 0) return [];
  const { isShowable } = await import("../sandbox/system-root.ts");
  return [...paths].filter((path) => !isShowable(path));
}

/** Why this environment cannot run the pipeline: a missing adapter, an unenforceable deny rule, or files that steps cannot use. */
export async function refusalOf({
  plan: { pipeline },
  isolation,
  adapters,
}: Pick<PlannedRun, "plan" | "isolation" | "adapters">): Promise<Failure | undefined> {
  for (const step of pipeline.steps) {
    const missing = await adapterProblem(withRunBudget(step, pipeline), adapters);
    if (missing !== undefined) return { reason: "adapter-missing", step: step.id, persona: step.persona.name, ...missing };
  }
  const rules = unenforceable(pipeline, isolation.sandbox);
  if (rules.length > 0) return { reason: "permission-unenforceable", rules };
  const { unusable } = isolation;
  const isAnySandboxed = pipeline.steps.some((step) => isSandboxed(step, isolation.sandbox));
  return unusable === undefined || !isAnySandboxed ? undefined : { reason: "owner-unsupported", detail: unusable };
}

/** Applies the run's cost limit to a step: a step whose cost is unknown makes the limit unenforceable. */
function withRunBudget(step: Step, { budget }: Pipeline): Step {
  const { maxCostUsd = budget?.maxCostUsd, ...resources } = step.resources;
  return maxCostUsd === undefined ? step : { ...step, resources: { ...resources, maxCostUsd } };
}

async function adapterProblem(
  step: Step,
  adapters: ReadonlyMap<string, Adapter>,
): Promise<{ adapter?: string; detail: string; hint: string } | undefined> {
  const choice = step.adapter;
  if (choice === undefined) {
    return {
      detail: "no adapter is chosen for it",
      hint: "set `defaults.adapter`, or choose one with --adapter; `wave doctor` shows what is ready here",
    };
  }
  if (choice.name === "command" && choice.command === undefined) {
    const hint = "give the persona a `command:`, or set `adapters: { command: { command: [program, argument] } }`";
    return { adapter: choice.name, detail: "adapter `command` has no command to run", hint };
  }
  const problem = await adapters.get(choice.name)?.problem?.(step);
  return problem === undefined ? undefined : { adapter: choice.name, ...problem };
}

/**
 * The changeset from the current project to the base, if that is an earlier run's: the reverse of what that run applied. Changes of
 * steps that ran in place are not reverted.
 */
async function rollbackOf(store: RunStore, current: BaseRef, base: BaseRef, ending: readonly RunRecord[]): Promise<Result<Changeset>> {
  if (base === current) return ok([]);
  const changes = ending[0]?.inProject;
  if (changes === undefined) return ok([]);
  const read = await readChangeset(store.blobs, changes.digest);
  return read.ok ? ok(reverse(read.value)) : read;
}

async function historyOf(
  store: RunStore,
  pipeline: Pipeline,
  base: BaseRef,
): Promise<Result<{ passed: readonly CachedResult[]; ending: readonly RunRecord[] }>> {
  const passed = await store.state.cachedResults(pipeline.name);
  if (!passed.ok) return passed;
  const ending = await store.state.runsEndingAt(pipeline.name, base.tree);
  return ending.ok ? ok({ passed: passed.value, ending: ending.value }) : ending;
}

async function versionsOf(pipeline: Pipeline, adapters: ReadonlyMap<string, Adapter>): Promise<Result<ReadonlyMap<string, string>>> {
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
