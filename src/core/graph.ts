/**
 * Graphs of steps, by id. An edge leads from a step to its dependency; edges to unknown ids are ignored. Every walk is
 * iterative and near linear, so 10,000 chained steps neither overflow the stack nor take long.
 */
import { popHeap, pushHeap } from "./heap.ts";

/** The dependencies of a step. */
export type EdgesOf = (node: string) => readonly string[];

/**
 * Dependencies before dependents; steps that are ready at once are in the order of `nodes`. Nodes on a cycle, and their
 * dependents, are left out.
 */
export function topologicalOrder(nodes: readonly string[], edgesOf: EdgesOf): string[] {
  const position = new Map(nodes.map((node, index) => [node, index]));
  const dependents = nodes.map((): number[] => []);
  const waitingFor = nodes.map(() => 0);
  for (const [index, node] of nodes.entries()) {
    for (const edge of new Set(edgesOf(node))) {
      const target = position.get(edge);
      if (target === undefined) continue;
      dependents[target]?.push(index);
      waitingFor[index] = (waitingFor[index] ?? 0) + 1;
    }
  }
  const ready: number[] = [];
  for (const [index, count] of waitingFor.entries()) if (count === 0) pushHeap(ready, index, isLess);
  const order: string[] = [];
  for (let next = popHeap(ready, isLess); next !== undefined; next = popHeap(ready, isLess)) {
    order.push(nodes[next] ?? "");
    for (const dependent of dependents[next] ?? []) {
      const open = (waitingFor[dependent] ?? 0) - 1;
      waitingFor[dependent] = open;
      if (open === 0) pushHeap(ready, dependent, isLess);
    }
  }
  return order;
}

/** All direct and indirect dependents of a node, in the order of `nodes`, without the node itself. */
export function descendantsOf(nodes: readonly string[], edgesOf: EdgesOf, start: string): string[] {
  const found = new Set([start]);
  for (const node of topologicalOrder(nodes, edgesOf)) if (edgesOf(node).some((edge) => found.has(edge))) found.add(node);
  return nodes.filter((node) => node !== start && found.has(node));
}

/**
 * One cycle per group of mutually dependent nodes, in the order of `nodes`: a path along edges whose first and last
 * node are equal, the shortest through the group's first node.
 */
export function findCycles(nodes: readonly string[], edgesOf: EdgesOf): string[][] {
  const groups = connectedGroups(nodes, edgesOf);
  const done = new Set<number>();
  return nodes.flatMap((node) => {
    const group = groups.get(node);
    if (group === undefined || done.has(group)) return [];
    const inside = (id: string) => edgesOf(id).filter((edge) => groups.get(edge) === group);
    const cycle = shortestCycle(node, inside);
    if (cycle === undefined) return [];
    done.add(group);
    return [cycle];
  });
}

function shortestCycle(start: string, edgesOf: EdgesOf): string[] | undefined {
  const reachedFrom = new Map<string, string>();
  const open = [start];
  for (const node of open) {
    for (const edge of edgesOf(node)) {
      if (edge === start) return [...pathTo(node, reachedFrom), start];
      if (reachedFrom.has(edge)) continue;
      reachedFrom.set(edge, node);
      open.push(edge);
    }
  }
  return undefined;
}

function pathTo(node: string, reachedFrom: ReadonlyMap<string, string>): string[] {
  const path: string[] = [];
  for (let at: string | undefined = node; at !== undefined; at = reachedFrom.get(at)) path.push(at);
  return path.reverse();
}

/** Tarjan's strongly connected components, without recursion. Returns node → number of its component. */
function connectedGroups(nodes: readonly string[], edgesOf: EdgesOf): ReadonlyMap<string, number> {
  const known = new Set(nodes);
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const groups = new Map<string, number>();
  const stack: string[] = [];
  for (const root of nodes) {
    if (index.has(root)) continue;
    const frames = [enter(root)];
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const edge = frame.edges[frame.next++];
      if (edge === undefined) {
        frames.pop();
        leave(frame.node, frames.at(-1)?.node);
      } else if (known.has(edge) && !index.has(edge)) frames.push(enter(edge));
      else if (known.has(edge) && !groups.has(edge)) lower(frame.node, index.get(edge) ?? 0);
    }
  }
  return groups;

  function enter(node: string): { node: string; edges: readonly string[]; next: number } {
    low.set(node, index.size);
    index.set(node, index.size);
    stack.push(node);
    return { node, edges: edgesOf(node), next: 0 };
  }

  function lower(node: string, to: number): void {
    low.set(node, Math.min(low.get(node) ?? 0, to));
  }

  function leave(node: string, parent: string | undefined): void {
    if (parent !== undefined) lower(parent, low.get(node) ?? 0);
    if (low.get(node) !== index.get(node)) return;
    const group = index.get(node) ?? 0;
    for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
      groups.set(member, group);
      if (member === node) return;
    }
  }
}

/** Nodes that come earlier in `nodes` come first. */
function isLess(a: number, b: number): boolean {
  return a < b;
}
