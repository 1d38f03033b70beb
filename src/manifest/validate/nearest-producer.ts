/**
 * Finds the nearest upstream steps that make an artifact: those that are above a step, and below which no other maker of the
 * artifact stands. Walks stop at makers and at what comes before all of them, so that 10,000 steps need no sets of ancestors.
 */
import { topologicalOrder } from "../../core/graph.ts";
import type { WrittenStep } from "./step-graph.ts";

/** Steps by number, in the order of the manifest. One search at a time may use it. */
export interface SearchGraph {
  readonly ids: readonly string[];
  readonly number: ReadonlyMap<string, number>;
  /** What each step depends on. */
  readonly up: readonly (readonly number[])[];
  /** What depends on each step. */
  readonly down: readonly (readonly number[])[];
  /** Place in the topological order; infinite for what stands on a circle or behind one, so that it is never cut off. */
  readonly rank: readonly number[];
  /** Scratch memory of walks: which walk saw each step last, and the steps that a walk still has to look at. */
  readonly seen: Int32Array;
  readonly open: Int32Array;
  walks: number;
}

/** The steps that make one artifact, in the order of the manifest. */
export interface Producers {
  readonly steps: readonly number[];
  readonly has: (step: number) => boolean;
  /** The least of their ranks: nothing before it leads to one of them. */
  readonly earliest: number;
}

/** Prepares the makers of an artifact for searches. */
export function producersOf({ rank }: Pick<SearchGraph, "rank">, steps: readonly number[]): Producers {
  const set = new Set(steps);
  return {
    steps,
    has: (step) => set.has(step),
    earliest: steps.reduce((least, step) => Math.min(least, rank[step] ?? 0), Number.POSITIVE_INFINITY),
  };
}

/** Prepares a pipeline's steps for searches. */
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

/** The makers above `from` of which none stands above another one; one of them where that is clear, none where none is above. */
export function nearestProducers(graph: SearchGraph, from: number, makers: Producers): readonly number[] {
  const found = firstReached(graph, from, makers);
  return found.length <= 1 ? found : withoutUpper(graph, found);
}

/** For each step, whether it stands below `maker`: 1 or 0. Cheaper than a search when many steps ask for the same artifact. */
export function descendantsOf(graph: SearchGraph, maker: number): Uint8Array {
  const below = new Uint8Array(graph.ids.length);
  const open = [maker];
  for (const step of open) {
    for (const dependent of graph.down[step] ?? []) {
      if (below[dependent] === 1) continue;
      below[dependent] = 1;
      open.push(dependent);
    }
  }
  return below;
}

/** Makers that can be reached upwards without passing another maker. All others are above one of these. */
function firstReached(graph: SearchGraph, from: number, makers: Producers): number[] {
  const found: number[] = [];
  walkUp(graph, from, makers.earliest, (step) => {
    if (!makers.has(step)) return true;
    if (step !== from) found.push(step);
    return false;
  });
  return found;
}

/**
 * Visits each step above `from` once, as long as `goOn` says so of the step below. What comes before `earliest` in the order
 * is left out: it cannot lead to what is searched.
 */
function walkUp(graph: SearchGraph, from: number, earliest: number, goOn: (step: number) => boolean): void {
  const { up, rank, seen, open } = graph;
  const walk = ++graph.walks;
  let count = 1;
  open[0] = from;
  for (let at = 0; at < count; at++) {
    for (const edge of up[open[at] ?? 0] ?? []) {
      if (seen[edge] === walk || (rank[edge] ?? 0) < earliest) continue;
      seen[edge] = walk;
      if (goOn(edge)) open[count++] = edge;
    }
  }
}

/** How many makers are compared with each other to be named; in a fan of thousands, these say enough. */
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
  // On a circle each stands above the other; the circle is what has to be told.
  return left.length === 0 ? [last] : left.toSorted((a, b) => a - b);
}

/** Which of the targets stand above a step. */
function allAbove(graph: SearchGraph, from: number, targets: readonly number[]): ReadonlySet<number> {
  const wanted = producersOf(graph, targets);
  const above = new Set<number>();
  walkUp(graph, from, wanted.earliest, (step) => {
    if (wanted.has(step)) above.add(step);
    return true;
  });
  return above;
}
