/**
 * The order of a run: which step may start now, and how the end of one affects the others. No I/O. A whole run costs O((V + E) log V).
 * Does not know attempts, retries or failures. The graph must have no cycle.
 */
import type { Step } from "../core/pipeline.ts";
import type { Plan, PlannedStep } from "../core/plan.ts";
import { dequeue, enqueue, type ReadyQueue } from "./ready-queue.ts";

/** How a step ended. */
export type Ending = "passed" | "failed" | "skipped" | "cancelled";

/** `blocked`: waits for other steps. `ready`: waits for a slot. `running`: has a slot. `paused`: has no slot until `offer`. */
type NodeState = "blocked" | "ready" | "running" | "paused" | Ending;

interface Edge {
  readonly to: Node;
  /** Whether all inputs that the dependent takes from here are optional. */
  readonly soft: boolean;
}

interface Node {
  readonly planned: PlannedStep;
  readonly weight: number;
  readonly position: number;
  readonly edges: Edge[];
  waitsFor: number;
  state: NodeState;
  /** Whether an attempt has started. */
  started: boolean;
}

/** A step that will not start, and why. */
export interface Dropped {
  readonly id: string;
  readonly because: string;
}

export interface Schedule {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly queue: ReadyQueue<Node>;
  readonly slots: number;
  /** Whether every step runs in place. Then they run in parallel, because no isolated workspace can be disturbed. */
  readonly allInPlace: boolean;
  running: number;
  /** Whether the running step excludes others. */
  alone: boolean;
  /** Steps that have not ended. */
  open: number;
}

/** `slots`: how many steps may run at once. */
export function createSchedule(plan: Plan, slots: number): Schedule {
  const positions = new Map(plan.pipeline.steps.map((step, position) => [step.id, position]));
  const nodes = new Map<string, Node>();
  for (const planned of plan.steps) {
    const position = positions.get(planned.step.id) ?? nodes.size;
    nodes.set(planned.step.id, { planned, weight: planned.weight, position, edges: [], waitsFor: 0, state: "blocked", started: false });
  }
  for (const node of nodes.values()) {
    for (const [id, soft] of upstreamOf(node.planned.step)) {
      const from = nodes.get(id);
      if (from === undefined) continue;
      from.edges.push({ to: node, soft });
      node.waitsFor += 1;
    }
  }
  const allInPlace = plan.steps.every(({ step }) => step.workspace === "shared");
  const schedule: Schedule = { nodes, queue: [], slots, allInPlace, running: 0, alone: false, open: nodes.size };
  for (const node of nodes.values()) if (node.waitsFor === 0) makeReady(schedule, node);
  return schedule;
}

/**
 * Takes a slot for the next step, longest path first. Undefined if none can start. A step that runs in place beside isolated steps runs
 * alone: it waits until all slots are free, and later steps wait for it, so that it cannot starve.
 */
export function take(schedule: Schedule): PlannedStep | undefined {
  while (schedule.queue[0] !== undefined && schedule.queue[0].state !== "ready") dequeue(schedule.queue);
  const first = schedule.queue[0];
  if (first === undefined || schedule.alone || schedule.running >= schedule.slots) return undefined;
  const alone = !schedule.allInPlace && first.planned.step.workspace === "shared";
  if (alone && schedule.running > 0) return undefined;
  dequeue(schedule.queue);
  first.state = "running";
  first.started = true;
  schedule.running += 1;
  schedule.alone = alone;
  return first.planned;
}

/** Frees a running step's slot until the step is offered again. */
export function pause(schedule: Schedule, id: string): void {
  const node = nodeOf(schedule, id);
  freeSlot(schedule, node);
  node.state = "paused";
}

/** Queues a paused step for a slot. Does nothing if it has ended meanwhile. */
export function offer(schedule: Schedule, id: string): void {
  const node = nodeOf(schedule, id);
  if (node.state === "paused") makeReady(schedule, node);
}

/** Ends a step. Returns the steps that can no longer start because of it. */
export function finishStep(schedule: Schedule, id: string, ending: Ending): readonly Dropped[] {
  const dropped: Dropped[] = [];
  const ended = [nodeOf(schedule, id)];
  finish(schedule, nodeOf(schedule, id), ending);
  for (let node = ended.pop(); node !== undefined; node = ended.pop()) {
    for (const edge of node.edges) {
      if (edge.to.state !== "blocked") continue;
      if (node.state === "passed" || (edge.soft && node.planned.step.optional)) {
        edge.to.waitsFor -= 1;
        if (edge.to.waitsFor === 0) makeReady(schedule, edge.to);
        continue;
      }
      dropped.push({ id: edge.to.planned.step.id, because: `waits for ${node.planned.step.id}, which ${verbFor(node.state)}` });
      finish(schedule, edge.to, "skipped");
      ended.push(edge.to);
    }
  }
  return dropped;
}

/** Ends every step that has not started. Returns their ids in the order of the plan. */
export function dropUnstarted(schedule: Schedule, ending: "skipped" | "cancelled"): readonly string[] {
  return endWhere(schedule, ending, (node) => isUnstarted(schedule, node.planned.step.id));
}

/** Ends every step that waits for its next attempt. Returns their ids in the order of the plan. */
export function dropPaused(schedule: Schedule): readonly string[] {
  return endWhere(schedule, "cancelled", (node) => node.started && (node.state === "paused" || node.state === "ready"));
}

/** Whether a step has not started but still may. */
export function isUnstarted(schedule: Schedule, id: string): boolean {
  const { started, state } = nodeOf(schedule, id);
  return !started && (state === "blocked" || state === "ready");
}

/** Whether a step has not ended. */
export function isOpen(schedule: Schedule, id: string): boolean {
  return !isEnding(nodeOf(schedule, id).state);
}

/** The steps that a step waits for, and whether each is optional: its dependencies, and the producers of its inputs. */
function upstreamOf(step: Step): ReadonlyMap<string, boolean> {
  const soft = new Map<string, boolean>();
  for (const input of step.inputs) {
    if (input.from !== undefined) soft.set(input.from, input.optional && (soft.get(input.from) ?? true));
  }
  for (const id of step.dependencies) if (!soft.has(id)) soft.set(id, false);
  return soft;
}

function endWhere(schedule: Schedule, ending: Ending, chosen: (node: Node) => boolean): readonly string[] {
  const ids: string[] = [];
  for (const node of schedule.nodes.values()) {
    if (!chosen(node)) continue;
    finish(schedule, node, ending);
    ids.push(node.planned.step.id);
  }
  return ids;
}

function makeReady(schedule: Schedule, node: Node): void {
  node.state = "ready";
  enqueue(schedule.queue, node);
}

function finish(schedule: Schedule, node: Node, ending: Ending): void {
  if (isEnding(node.state)) throw new Error(`step ${node.planned.step.id} ended twice: ${node.state}, then ${ending}`);
  if (node.state === "running") freeSlot(schedule, node);
  node.state = ending;
  schedule.open -= 1;
}

function freeSlot(schedule: Schedule, node: Node): void {
  if (node.state !== "running") throw new Error(`step ${node.planned.step.id} holds no slot: it is ${node.state}`);
  schedule.running -= 1;
  schedule.alone = false;
}

function nodeOf(schedule: Schedule, id: string): Node {
  const node = schedule.nodes.get(id);
  if (node === undefined) throw new Error(`no step ${id} in the plan`);
  return node;
}

function isEnding(state: NodeState): state is Ending {
  return state === "passed" || state === "failed" || state === "skipped" || state === "cancelled";
}

function verbFor(state: NodeState): string {
  return state === "failed" ? "failed" : `was ${state}`;
}
