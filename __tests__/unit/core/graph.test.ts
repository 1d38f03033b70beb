import { describe, expect, it } from "vitest";
import { findCycles, topologicalOrder } from "../../../src/core/graph.ts";
import fc from "../../rig/property.ts";

type Edges = Readonly<Record<string, readonly string[]>>;
const nodesOf = (edges: Edges) => Object.keys(edges);
const of = (edges: Edges) => (node: string) => edges[node] ?? [];

/** A graph over n0…n9 with any edges. */
const anyGraph = fc
  .array(fc.array(fc.nat(9), { maxLength: 4 }), { minLength: 10, maxLength: 10 })
  .map((rows): Edges => Object.fromEntries(rows.map((row, index) => [`n${index}`, row.map((to) => `n${to}`)])));

describe("topologicalOrder", () => {
  it("puts dependencies first, and keeps the order of the manifest otherwise", () => {
    const edges = { d: ["b"], a: [], b: ["a"], c: [] };
    expect(topologicalOrder(nodesOf(edges), of(edges))).toEqual(["a", "b", "d", "c"]);
  });

  it("leaves out cycles and their dependents, and ignores unknown edges", () => {
    const edges = { a: ["b"], b: ["a"], c: ["b"], d: ["nowhere"], e: ["d", "d"] };
    expect(topologicalOrder(nodesOf(edges), of(edges))).toEqual(["d", "e"]);
  });

  it("orders every dependency before its dependent, in any graph, with every node unless there is a cycle", () => {
    fc.assert(
      fc.property(anyGraph, (edges) => {
        const order = topologicalOrder(nodesOf(edges), of(edges));
        for (const [index, node] of order.entries()) for (const edge of edges[node] ?? []) expect(order.indexOf(edge)).toBeLessThan(index);
        expect(order.length === 10).toBe(findCycles(nodesOf(edges), of(edges)).length === 0);
      }),
    );
  });

  it("does not overflow on a chain of 100,000", () => {
    const nodes = Array.from({ length: 100_000 }, (_, index) => `s${index}`);
    const next = (node: string) => (node === "s99999" ? [] : [`s${Number(node.slice(1)) + 1}`]);
    expect(topologicalOrder(nodes, next)).toEqual(nodes.toReversed());
    expect(findCycles(nodes, next)).toEqual([]);
    expect(findCycles(nodes, (node) => [`s${(Number(node.slice(1)) + 1) % 100_000}`])[0]).toHaveLength(100_001);
  });
});

describe("findCycles", () => {
  it("finds one cycle per group, by its shortest path from the first node", () => {
    const edges = { x: ["a"], a: ["b", "c"], b: ["d"], d: ["a"], c: ["a"], p: ["q"], q: ["p"], self: ["self"] };
    expect(findCycles(nodesOf(edges), of(edges))).toEqual([
      ["a", "c", "a"],
      ["p", "q", "p"],
      ["self", "self"],
    ]);
  });

  it("returns only paths along edges, in any graph", () => {
    fc.assert(
      fc.property(anyGraph, (edges) => {
        for (const cycle of findCycles(nodesOf(edges), of(edges))) {
          expect(cycle.at(0)).toBe(cycle.at(-1));
          for (const [index, node] of cycle.slice(0, -1).entries()) expect(edges[node]).toContain(cycle[index + 1]);
        }
      }),
    );
  });
});
