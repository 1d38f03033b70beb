/**
 * The model of the live view: the plan's steps with their state at one moment, projected from the run's timeline. It contains no text and reads no
 * clock; `render-frame.ts` draws it.
 */
import { defined } from "../../core/defined.ts";
import type { WaveEvent } from "../../core/event.ts";
import type { ContractResult, Failure } from "../../core/failure.ts";
import type { Plan } from "../../core/plan.ts";
import type { AttemptUsage } from "../../core/ports.ts";
import { advanceTimeline, emptyTimeline, type RunTimeline, timelineStep } from "../../core/run-timeline.ts";
import type { RunStatus, StepStatus } from "../../core/state.ts";
import type { Usage } from "../../core/usage.ts";

export interface StepView {
  readonly id: string;
  readonly persona: string;
  readonly dependencies: readonly string[];
  /** How many steps its longest chain of dependencies has. */
  readonly depth: number;
  /** `waiting`: between two attempts. */
  readonly status: StepStatus | "waiting";
  /** Taken from an earlier run, or passed before this run was resumed. */
  readonly reused: boolean;
  /** The attempt that is running or ran last; 0 before the first. */
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly startedAt?: number;
  readonly durationMs?: number;
  readonly retryAt?: number;
  /** Verdicts of the last attempt. */
  readonly contracts: readonly ContractResult[];
  readonly failure?: Failure;
  readonly because?: string;
  /** The last line of its output. */
  readonly lastLine?: string;
}

export interface RunView {
  run?: string;
  pipeline: string;
  version?: string;
  status: RunStatus;
  startedAt?: number;
  durationMs?: number;
  /** In plan order: dependencies before dependents. */
  readonly steps: Map<string, StepView>;
  readonly timeline: RunTimeline;
  /** Step → attempt → its usage, so far if it is running. Attempts of earlier processes are not included. */
  readonly usage: Map<string, Map<number, Usage>>;
  readonly process: ProcessView;
}

/** The process that executes the run. */
interface ProcessView {
  /** How many steps may run at the same time. */
  slots?: number;
  /** Steps that this process executes. Undefined for all. */
  selected?: ReadonlySet<string>;
}

/** A view without events. */
export function emptyView(pipeline = ""): RunView {
  return { pipeline, status: "running", steps: new Map(), timeline: emptyTimeline(), usage: new Map(), process: {} };
}

/** The view of a plan, before any event. */
export function viewOfPlan(plan: Plan): RunView {
  const { name, version } = plan.pipeline;
  const view: RunView = { ...emptyView(name), ...defined({ version }) };
  addSteps(
    view,
    plan.steps.map(({ step }) => ({ id: step.id, persona: step.persona.name, dependencies: step.dependencies })),
  );
  return view;
}

/** Adds an event to the view and returns the view. It changes in place: a run of thousands of steps is not copied for each event. */
export function applyEvent(view: RunView, event: WaveEvent): RunView {
  advanceTimeline(view.timeline, event);
  const at = Date.parse(event.ts);
  if (event.type === "run-started") {
    const { run, pipeline, version, nodes, options } = event;
    Object.assign(view, { run, pipeline, startedAt: at, ...defined({ version }) });
    view.process.slots = options.concurrency;
    addSteps(view, nodes);
  } else if (event.type === "run-resumed") {
    Object.assign(view, { run: event.run, startedAt: at, status: "running" });
    view.process.slots = event.concurrency;
  } else if (event.type === "run-finished") {
    Object.assign(view, { status: event.status, durationMs: event.durationMs });
    if (event.status === "passed") markPassed(view, event.part ?? [...view.steps.keys()]);
  } else if ("step" in event && event.type !== "circuit-opened") {
    if (event.type === "attempt-started") markPassed(view, view.steps.get(event.step)?.dependencies ?? []);
    showStep(view, event.step, event.type === "attempt-started" || event.type === "step-reopened");
    if ("usage" in event && event.usage !== undefined) applyUsage(view, { ...event, usage: event.usage });
  }
  if ((event.type === "run-started" || event.type === "run-resumed") && event.part !== undefined)
    view.process.selected = new Set(event.part);
  return view;
}

/** Updates a step from the timeline. `fresh`: its last line of output belongs to an earlier attempt. */
function showStep(view: RunView, id: string, fresh: boolean): void {
  const { attempts, phase, reused, finished, reopened } = timelineStep(view.timeline, id);
  const { lastLine, ...before } = view.steps.get(id) ?? unknownStep(id);
  const last = attempts.at(-1);
  const current = reopened === true ? undefined : last;
  const ended = current?.ended;
  const failed = ended?.type === "attempt-failed" ? ended : undefined;
  view.steps.set(id, {
    id,
    persona: last?.begun.persona ?? before.persona,
    dependencies: before.dependencies,
    depth: before.depth,
    status: phase,
    reused: before.reused || reused !== undefined || last?.rechecked !== undefined,
    attempt: last?.begun.attempt ?? 0,
    contracts: [...(current?.results.values() ?? [])],
    ...defined({
      startedAt: last?.startedAt,
      durationMs: ended?.durationMs,
      retryAt: failed?.retry === undefined ? undefined : Date.parse(failed.ts) + failed.retry.delayMs,
      failure: finished?.failure ?? failed?.failure,
      because: finished?.because,
      lastLine: fresh ? undefined : lastLine,
    }),
  });
}

/** Keeps the last line of a step's output. */
export function applyOutput(view: RunView, step: string, text: string): RunView {
  const line = text.trimEnd().split("\n").at(-1)?.trim();
  if (line !== undefined && line !== "" && view.steps.has(step)) change(view, step, { lastLine: line });
  return view;
}

/** Replaces the usage of an attempt. */
export function applyUsage(view: RunView, { step, attempt, usage }: AttemptUsage): void {
  const attempts = view.usage.get(step) ?? new Map<number, Usage>();
  view.usage.set(step, attempts.set(attempt, usage));
}

function unknownStep(id: string): StepView {
  return { id, persona: "", dependencies: [], depth: 0, status: "pending", reused: false, attempt: 0, contracts: [] };
}

function change(view: RunView, id: string, changed: Partial<StepView>): void {
  view.steps.set(id, { ...(view.steps.get(id) ?? unknownStep(id)), ...changed });
}

/** Marks steps without events as passed, with their dependencies: a dependent started, so they passed in an earlier process. */
function markPassed(view: RunView, ids: readonly string[]): void {
  const open = [...ids];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const step = view.steps.get(id);
    if (step?.status !== "pending") continue;
    change(view, id, { status: "passed", reused: true });
    open.push(...step.dependencies);
  }
}

interface PlainStep {
  readonly id: string;
  readonly persona: string;
  readonly dependencies: readonly string[];
}

/** Adds steps in topological order; among independent steps, in the given order. */
function addSteps(view: RunView, steps: readonly PlainStep[]): void {
  const missing = new Map(steps.map((step) => [step.id, new Set(step.dependencies.filter((id) => id !== step.id)).size]));
  const dependents = new Map<string, PlainStep[]>();
  for (const step of steps) for (const id of new Set(step.dependencies)) dependents.set(id, [...(dependents.get(id) ?? []), step]);
  const depths = new Map<string, number>();
  const ready = steps.filter((step) => missing.get(step.id) === 0);
  for (const step of ready) {
    const depth = Math.max(0, ...step.dependencies.map((id) => (depths.get(id) ?? 0) + 1));
    depths.set(step.id, depth);
    if (!view.steps.has(step.id)) change(view, step.id, { persona: step.persona, dependencies: step.dependencies, depth });
    for (const dependent of dependents.get(step.id) ?? []) {
      const left = (missing.get(dependent.id) ?? 0) - 1;
      missing.set(dependent.id, left);
      if (left === 0) ready.push(dependent);
    }
  }
}
