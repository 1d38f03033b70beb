/**
 * Finds the nearest upstream producers of an artifact: those with no other producer between them and the step. Walks end at producers and before the
 * earliest one, so that 10,000 steps need no sets of ancestors.
 */
import { topologicalOrder } from "../../core/graph.ts";
import type { WrittenStep } from "./step-graph.ts";

/** Steps by index, in manifest order. Not for concurrent searches. */
export interface SearchGraph {
  readonly ids: readonly string[];
  readonly number: ReadonlyMap<string, number>;
  /** Dependencies of each step. */
  readonly up: readonly (readonly number[])[];
  /** Dependents of each step. */
  readonly down: readonly (readonly number[])[];
  /** Position in topological order. Infinite on and after cycles, so that walks do not stop there. */
  readonly rank: readonly number[];
  /** Reused by walks: the last walk that visited each step, and the queue. */
  readonly seen: Int32Array;
  readonly open: Int32Array;
  walks: number;
}

/** The producers of one artifact, in manifest order. */
export interface Producers {
  readonly steps: readonly number[];
  readonly has: (step: number) => boolean;
  /** Lowest rank of the producers. */
  readonly earliest: number;
}

/** Indexes the producers of an artifact. */
export function producersOf({ rank }: Pick<SearchGraph, "rank">, steps: readonly number[]): Producers {
  const set = new Set(steps);
  return {
    steps,
    has: (step) => set.has(step),
    earliest: steps.reduce((least, step) => Math.min(least, rank[step] ?? 0), Number.POSITIVE_INFINITY),
  };
}

/** Indexes a pipeline's steps. */
export function searchGraph(steps: ReadonlyMap<string, WrittenStep>): SearchGraph {
  const ids = [...steps.keys()];
  const number = new Map(ids.map((id, index) => [id, index]));
  const names = new Map([...steps].map(([id, step]) => [id, [...step.edges.keys()]]));
  const up = ids.map((id) => (names.get(id) ?? []).flatMap((edge) => number.get(edge) ?? []));
  const down = ids.map((): number[] => []);
  for (const [index, edges] of up.entries()) for (const edge of edges) down[edge]?.push(index);
  const rank = ids.map(() => Number.POSITIVE_INFINITY);
  for (const [place, id] of topologicalOrder(ids, (node) => names.get(node) ?? []).entries()) rank[number.get(id) ?? 0] = place;
  return { ids, number, up, down, rank, seen: new Int32Array(ids.length), open: new Int32Array(ids.length + 1), walks: 0 };
}

/** The nearest upstream producers: those that no other producer is downstream of. Empty if there are none. */
export function nearestProducers(graph: SearchGraph, from: number, producers: Producers): readonly number[] {
  const found = firstReached(graph, from, producers);
  return found.length <= 1 ? found : withoutUpper(graph, found);
}

/** Whether each step is downstream of `producer`: 1 or 0. Faster than searches if many steps use the artifact. */
export function markDescendants(graph: SearchGraph, producer: number): Uint8Array {
  const below = new Uint8Array(graph.ids.length);
  const open = [producer];
  for (const step of open) {
    for (const dependent of graph.down[step] ?? []) {
      if (below[dependent] === 1) continue;
      below[dependent] = 1;
      open.push(dependent);
    }
  }
  return below;
}

/** Producers upstream that are reachable without passing another producer. */
function firstReached(graph: SearchGraph, from: number, producers: Producers): number[] {
  const found: number[] = [];
  walkUp(graph, from, producers.earliest, (step) => {
    if (!producers.has(step)) return true;
    if (step !== from) found.push(step);
    return false;
  });
  return found;
}

/** Visits each step upstream of `from` once, beyond a step only if `shouldContinue` returns true for it. Skips steps ranked before `earliest`. */
function walkUp(graph: SearchGraph, from: number, earliest: number, shouldContinue: (step: number) => boolean): void {
  const { up, rank, seen, open } = graph;
  const walk = ++graph.walks;
  let count = 1;
  open[0] = from;
  for (let at = 0; at < count; at++) {
    for (const edge of up[open[at] ?? 0] ?? []) {
      if (seen[edge] === walk || (rank[edge] ?? 0) < earliest) continue;
      seen[edge] = walk;
      if (shouldContinue(edge)) open[count++] = edge;
    }
  }
}

/** Maximum number of producers that are compared and reported. */
const compared = 16;

function withoutUpper(graph: SearchGraph, found: readonly number[]): readonly number[] {
  const { rank } = graph;
  const last = found.reduce((a, b) => ((rank[b] ?? 0) > (rank[a] ?? 0) ? b : a));
  const others = found.filter((step) => step !== last);
  const above = allAbove(graph, last, others);
  const beside = others.filter((step) => !above.has(step));
  if (beside.length === 0) return [last];
  const named = [last, ...beside].slice(0, compared);
  const upper = new Set(named.flatMap((step) => [...allAbove(graph, step, named)]));
  const left = named.filter((step) => !upper.has(step));
  // On a cycle, each producer is upstream of the others. The cycle is reported elsewhere.
  return left.length === 0 ? [last] : left.toSorted((a, b) => a - b);
}

/** The targets that are upstream of a step. */
function allAbove(graph: SearchGraph, from: number, targets: readonly number[]): ReadonlySet<number> {
  const wanted = producersOf(graph, targets);
  const above = new Set<number>();
  walkUp(graph, from, wanted.earliest, (step) => {
    if (wanted.has(step)) above.add(step);
    return true;
  });
  return above;
}
