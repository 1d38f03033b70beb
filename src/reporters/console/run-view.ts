/**
 * What a run looks like at one moment, folded from its events: the model behind the live view. No text and no time of its
 * own in it; `render-frame.ts` draws it.
 */

import { defined } from "../../core/defined.ts";
import { type EventOf, isOutsideEvent, type WaveEvent } from "../../core/event.ts";
import type { ContractResult, Failure } from "../../core/failure.ts";
import type { Plan } from "../../core/plan.ts";
import { unreachable } from "../../core/result.ts";
import type { RunStatus, StepStatus } from "../../core/state.ts";

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
  /** What its child printed last. */
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
}

/** A view in which nothing has happened. */
export function emptyView(pipeline = ""): RunView {
  return { pipeline, status: "running", steps: new Map() };
}

/** A view of what a plan will do. */
export function viewOfPlan(plan: Plan): RunView {
  const { name, version } = plan.pipeline;
  const view: RunView = { ...emptyView(name), ...defined({ version }) };
  addSteps(
    view,
    plan.steps.map(({ step }) => ({ id: step.id, persona: step.persona.name, dependencies: step.dependencies })),
  );
  return view;
}

/** Folds one event into the view, in place (a run of thousands of steps is not copied for each), and gives it back. */
export function applyEvent(view: RunView, event: WaveEvent): RunView {
  const at = Date.parse(event.ts);
  if (isOutsideEvent(event)) return view;
  switch (event.type) {
    case "run-started":
      begin(view, event, at);
      break;
    case "run-resumed":
      Object.assign(view, { run: event.run, startedAt: at, status: "running" });
      break;
    case "run-finished":
      Object.assign(view, { status: event.status, durationMs: event.durationMs });
      if (event.status === "passed") settlePending(view, event.part ?? [...view.steps.keys()]);
      break;
    case "step-reused":
      change(view, event.step, { status: "passed", reused: true });
      break;
    case "step-reopened":
      change(view, event.step, { ...fresh, status: "pending" });
      break;
    case "attempt-started":
      settlePending(view, view.steps.get(event.step)?.dependencies ?? []);
      change(view, event.step, { ...fresh, status: "running", persona: event.persona, attempt: event.attempt, startedAt: at });
      break;
    case "contract-checked":
      change(view, event.step, { contracts: [...(view.steps.get(event.step)?.contracts ?? []), event.result] });
      break;
    case "attempt-passed":
    case "attempt-cancelled":
      change(view, event.step, { durationMs: event.durationMs });
      break;
    case "attempt-failed":
      change(view, event.step, { durationMs: event.durationMs, failure: event.failure, ...waiting(event, at) });
      break;
    case "step-finished":
      change(view, event.step, endOf(event));
      break;
    case "writer-opened":
    case "writer-closed":
    case "circuit-opened":
    case "circuit-reset":
    case "changes-merged":
    case "changes-applied":
    case "rollback-started":
    case "changes-undone":
    case "steps-rolled-back":
      break;
    default:
      return unreachable(event);
  }
  return view;
}

function begin(view: RunView, { run, pipeline, version, steps }: EventOf<"run-started">, at: number): void {
  Object.assign(view, { run, pipeline, startedAt: at, ...defined({ version }) });
  addSteps(view, steps);
}

function endOf({ status, failure, because }: EventOf<"step-finished">): Change {
  return { status, ...defined({ failure, because }) };
}

function waiting({ retry }: EventOf<"attempt-failed">, at: number): Change {
  return retry === undefined ? {} : { status: "waiting", retryAt: at + retry.delayMs };
}

/** Notes what a step's child printed. */
export function applyOutput(view: RunView, step: string, text: string): RunView {
  const line = text.trimEnd().split("\n").at(-1)?.trim();
  if (line !== undefined && line !== "" && view.steps.has(step)) change(view, step, { lastLine: line });
  return view;
}

/** What a new attempt forgets. */
const fresh = { contracts: [], failure: undefined, retryAt: undefined, durationMs: undefined, lastLine: undefined } as const;

type Change = { readonly [K in keyof StepView]?: StepView[K] | undefined };

function change(view: RunView, id: string, changed: Change): void {
  const before = view.steps.get(id) ?? {
    id,
    persona: "",
    dependencies: [],
    depth: 0,
    status: "pending",
    reused: false,
    attempt: 0,
    contracts: [],
  };
  const merged = Object.entries({ ...before, ...changed }).filter(([, value]) => value !== undefined);
  view.steps.set(id, Object.fromEntries(merged) as unknown as StepView);
}

/** A step starts only when its dependencies have passed: those of which nothing was heard passed before this process. */
function settlePending(view: RunView, ids: readonly string[]): void {
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

/** Adds steps in plan order: a step comes once all that it depends on have come, else in the order given. */
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
