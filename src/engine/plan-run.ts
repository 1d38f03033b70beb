/**
 * The middle chapter of the spine: from a project that holds to a plan, and to the reasons for which this environment cannot
 * carry it out. `wave plan`, `run` and `resume` all come through here.
 */

import { commandAdapter } from "../adapters/command/command.ts";
import { reverse } from "../changeset/combine-changes.ts";
import { readChangeset } from "../changeset/read-changeset.ts";
import type { Changeset } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import { type Digest, digestOfBytes } from "../core/digest.ts";
import { isSandboxed, unenforceable, wantsIsolation } from "../core/enforcement.ts";
import type { BaseRef, FingerprintRef } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { ignoredFor, ignoredViews } from "../core/ignored-views.ts";
import type { ValidatedProject } from "../core/loaded.ts";
import { readFilter, viewKey } from "../core/permissions.ts";
import type { Pipeline, Step } from "../core/pipeline.ts";
import type { DependencyDirectory, Plan } from "../core/plan.ts";
import type { Adapter, TrustedFiles } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { CachedResult, RunRecord } from "../core/state.ts";
import { selectPipeline } from "../manifest/validate/select-pipeline.ts";
import { baseFor } from "../planner/base-for.ts";
import { contractFilesOf, fingerprintStep } from "../planner/fingerprint.ts";
import { planPipeline } from "../planner/plan-pipeline.ts";
import { outdatedGit } from "../platform/git.ts";
import { oldestGit } from "../platform/git-version.ts";
import { type Isolation, noIsolation, probeIsolation } from "../sandbox/isolation.ts";
import { printable } from "../text/printable.ts";
import { type BaseFiles, listProject, readBase } from "../workspace/base.ts";
import { gitRefusal } from "../workspace/base-git.ts";
import {
  type Environment,
  locateProject,
  openStore,
  type ProjectRequest,
  type ReadProject,
  type RunStore,
  readProject,
  requireValid,
} from "./open-project.ts";
import { digestProtected } from "./protected-files.ts";

/** What a plan is made for. */
export interface PlanRequest extends ProjectRequest {
  /** NAME or NAME@VERSION; nothing where the manifest has one pipeline. */
  readonly pipeline?: string;
  /** The run's input text. */
  readonly input?: string;
  /** Gives what leads from the project as it is to the tree that the run begins with; absent: what state says. */
  readonly startChangeset?: (planned: PlannedRun) => Promise<Result<Changeset>>;
  /** The plan is executed next. */
  readonly executes?: boolean;
}

/** A plan, and what it was made from. */
export interface PlannedRun {
  readonly read: ReadProject;
  readonly project: ValidatedProject;
  readonly store: RunStore;
  /** The environment of the wave process. */
  readonly env: Environment;
  readonly plan: Plan;
  /** What fingerprints are taken over. */
  readonly base: BaseRef;
  /** The project's tree as it is now. */
  readonly tree: Digest;
  /** The trusted source, if that is a commit. Undefined if it is the base of the run. */
  readonly trustedFiles?: TrustedFiles;
  /** The project's files as they are now; undefined for a run that is resumed, before `sinceBegin` has compared the project. */
  readonly files?: BaseFiles;
  readonly passed: readonly CachedResult[];
  /** What leads from the project as it is to where the run begins: not empty where an earlier run's changes lie over its base. */
  readonly rollback: Changeset;
  /** What this environment can fence and isolate. */
  readonly isolation: Isolation;
  readonly adapters: ReadonlyMap<string, Adapter>;
  readonly fingerprintOf: (step: Step, inputs: Readonly<Record<string, Digest>>, changes: Digest | undefined) => FingerprintRef;
}

/** The adapters of this version, by name. `announce` is told before something is downloaded. */
export function openAdapters(
  { env, recordings, announce = () => undefined }: Pick<ProjectRequest, "env" | "announce" | "recordings">,
  root: string,
): ReadonlyMap<string, Adapter> {
  const replayed = { root, ...defined({ recordings }) };
  return new Map([
    ["command", commandAdapter()],
    ["claude", loadedWhenAsked("claude", async () => (await import("../adapters/claude/claude.ts")).claudeAdapter({ env, announce }))],
    ["codex", loadedWhenAsked("codex", async () => (await import("../adapters/codex/codex.ts")).codexAdapter({ env, announce }))],
    ["gemini", loadedWhenAsked("gemini", async () => (await import("../adapters/gemini/gemini.ts")).geminiAdapter({ env, announce }))],
    ["copilot", loadedWhenAsked("copilot", async () => (await import("../adapters/copilot/copilot.ts")).copilotAdapter({ env, announce }))],
    [
      "opencode",
      loadedWhenAsked("opencode", async () => (await import("../adapters/opencode/opencode.ts")).opencodeAdapter({ env, announce })),
    ],
    ["api", loadedWhenAsked("api", async () => (await import("../adapters/api/api.ts")).apiAdapter({ env }))],
    ["replay", loadedWhenAsked("replay", async () => (await import("../adapters/replay/replay.ts")).replayAdapter(replayed))],
  ]);
}

/** An adapter that a run without it does not load. */
function loadedWhenAsked(name: string, load: () => Promise<Adapter>): Adapter {
  let loaded: Promise<Adapter> | undefined;
  const adapter = () => {
    loaded ??= load();
    return loaded;
  };
  return {
    name,
    version: async (step) => (await adapter()).version(step),
    problem: async (step) => (await adapter()).problem?.(step),
    run: async (context) => (await adapter()).run(context),
  };
}

/** Load → validate → plan. `withHistory` asks state what passed before; a run that reuses nothing need not know. */
export async function planRun(request: PlanRequest, withHistory: (pipeline: Pipeline) => boolean): Promise<Result<PlannedRun>> {
  const located = locateProject(request);
  if (!located.ok) return located;
  const listing = request.listing ?? listProject(located.value.root);
  const read = await readProject(request, located.value);
  if (!read.ok) return read;
  const project = requireValid(read.value);
  if (!project.ok) return project;
  const pipeline = selectPipeline(project.value, request.pipeline);
  if (!pipeline.ok) return pipeline;
  const store = openStore(read.value, request);
  begin(request, located.value.root, store.stateDir, pipeline.value);
  let files: BaseFiles | undefined;
  let dependencies: readonly DependencyDirectory[] | undefined;
  const isReusing = withHistory(pipeline.value);
  const base = async (views: Views) => {
    const taken = await readBase(located.value.root, store.stateRoot, views, listing);
    if (!taken.ok) return taken;
    files = taken.value.files;
    if (taken.value.base.kind === "files") await tellRefusal(request, located.value.root);
    const look = await files.ignored(ignoredViews(pipeline.value.steps), isReusing ? undefined : unaskedLook);
    dependencies = look?.dependencies;
    return ok(look === undefined ? taken.value.base : { ...taken.value.base, ignored: look.digests });
  };
  const open = {
    read: read.value,
    project: project.value,
    store,
    env: request.env,
    adapters: openAdapters(request, located.value.root),
    ...defined({ trustedFiles: request.trustedFiles }),
  };
  const selected = await planSelected(open, pipeline.value, base, isReusing, request.input);
  if (!selected.ok) return selected;
  const plan = { ...selected.value.plan, ...defined({ dependencyDirectories: dependencies }) };
  const planned: PlannedRun = { ...selected.value, plan, ...defined({ files }) };
  if (request.startChangeset === undefined) return ok(planned);
  const rollback = await request.startChangeset(planned);
  return rollback.ok ? ok({ ...planned, rollback: rollback.value }) : rollback;
}

/** Begins what takes processes of its own, while the project is read: the answers are kept. */
function begin({ env, executes = false }: PlanRequest, root: string, stateDir: string, { steps }: Pipeline): void {
  if (!steps.some(wantsIsolation)) return;
  void probeIsolation({ root, stateDir, env });
  const isRoot = process.platform === "linux" && process.getuid?.() === 0;
  if (!executes || !isRoot || !steps.some(({ sandbox }) => sandbox !== "off")) return;
  // What fails here fails again, and is reported, where it is needed.
  import("../sandbox/launch.ts").then(({ prepareLaunch }) => prepareLaunch(env, root)).catch(() => undefined);
}

/** Ignored files that a run without reuse still looks at, so that a later run can reuse its results: about 50 ms on a slow disk. */
const unaskedLook = { files: 2000, bytes: 8 << 20 };

/** Without git's word what it ignores counts as the project's own: worth knowing where somebody meant it to be ignored. */
async function tellRefusal({ warn }: PlanRequest, root: string): Promise<void> {
  const refusal = await gitRefusal(root);
  if (refusal !== undefined) warn?.(printable(`ignored files count as the project's, since git does not tell which they are (${refusal})`));
}

/** The filters of a pipeline's steps, by key. */
type Views = Parameters<typeof readBase>[2];

/** Plans a pipeline of a project that is open, over a base: the project as it is now, or as it was when a resumed run began. */
export async function planSelected(
  open: Pick<PlannedRun, "read" | "project" | "store" | "env" | "adapters" | "trustedFiles">,
  pipeline: Pipeline,
  baseOf: (views: Views) => Promise<Result<BaseRef>>,
  withHistory: boolean,
  input: string | undefined,
): Promise<Result<PlannedRun>> {
  const { project, store } = open;
  const views = new Map(pipeline.steps.map((step) => [viewKey(step), readFilter(step.permissions)]));
  const current = await baseOf(views);
  if (!current.ok) return current;
  const outdated = await outdatedGit(open.read.root);
  if (outdated !== undefined) return err({ reason: "git-outdated", version: outdated, oldest: oldestGit });
  const history = withHistory ? await historyOf(store, pipeline, current.value) : ok({ passed: [], ending: [] });
  if (!history.ok) return history;
  const base = baseFor(current.value, history.value.ending);
  const adapterVersions = await versionsOf(pipeline, open.adapters);
  if (!adapterVersions.ok) return adapterVersions;
  const { tree } = current.value;
  const rollback = await rollbackOf(store, current.value, base, history.value.ending);
  if (!rollback.ok) return rollback;
  const isolation = pipeline.steps.some(wantsIsolation)
    ? await probeIsolation({ root: open.read.root, stateDir: store.stateDir, env: open.env })
    : noIsolation;
  const protectedFiles = await digestProtected(pipeline, open.trustedFiles);
  if (!protectedFiles.ok) return protectedFiles;
  const common = { base, tree, platform: `${process.platform}-${process.arch}`, contractFiles: project.contractFiles };
  const runInput = input === undefined ? {} : { runInput: digestOfBytes(input) };
  const planned = planPipeline({
    ...common,
    ...runInput,
    protectedFiles: protectedFiles.value,
    pipeline,
    passed: history.value.passed,
    adapterVersions: adapterVersions.value,
    sandbox: isolation.sandbox,
  });
  const plan = { ...planned, directoryRenames: isolation.directoryRenames, unshownPlaces: await unshownPlaces(pipeline) };
  const fingerprintOf: PlannedRun["fingerprintOf"] = (step, inputs, changes) => {
    const ignored = ignoredFor(step, base);
    const restored = protectedFiles.value.get(step.id);
    return fingerprintStep({
      step,
      ...defined({ protectedFiles: restored, ignored }),
      inputs,
      ...defined({ changes }),
      ...runInput,
      platform: common.platform,
      base: base.views[viewKey(step)] ?? base.tree,
      tree: base.tree,
      contractFiles: contractFilesOf(step, project.contractFiles),
      adapterVersion: adapterVersions.value.get(step.id) ?? "",
    });
  };
  return ok({ ...open, plan, base, tree, passed: history.value.passed, rollback: rollback.value, isolation, fingerprintOf });
}

async function unshownPlaces({ steps }: Pipeline): Promise<readonly string[]> {
  const places = new Set(steps.flatMap(({ sandboxShow = [] }) => sandboxShow));
  if (places.size === 0) return [];
  const { isShowable } = await import("../sandbox/system-root.ts");
  return [...places].filter((place) => !isShowable(place));
}

/** Why this environment cannot run the pipeline, before any work: no adapter, a deny that is not enforced, or files that steps cannot use. */
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
  const isFencedHere = pipeline.steps.some((step) => isSandboxed(step, isolation.sandbox));
  return unusable === undefined || !isFencedHere ? undefined : { reason: "owner-unsupported", detail: unusable };
}

/** What a run may cost cannot be held to where one of its steps does not tell what it costs. */
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
 * The way back from the project as it is to the base that counts, where that is an earlier run's: the reverse of what the run applied.
 * Steps that ran in place are not undone; their work counts as it lies there.
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
  const passed = await store.state.passedWork(pipeline.name);
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
