/** The schedule by itself: its order, and its linear cost. */
import { describe, expect, test } from "vitest";
import { dequeue, enqueue, type Ranked } from "../../../src/executor/ready-queue.ts";
import { createSchedule, finishStep, take } from "../../../src/executor/schedule.ts";
import { pipeline, step } from "../../rig/plan-fixtures.ts";

/** A layered graph in which every step depends on two of the layer before. */
function layered(count: number, width: number) {
  const steps = Array.from({ length: count }, (_, index) => {
    const above = index - width;
    return step(`s${index}`, { dependencies: above < 0 ? [] : [...new Set([`s${above}`, `s${Math.max(0, above - 1)}`])] });
  });
  const planned = steps.map((one, index) => ({
    step: one,
    dependents: [],
    weight: Math.ceil((count - index) / width),
    work: { kind: "unknown", after: [] } as const,
    enforcement: [],
  }));
  return { pipeline: pipeline(steps), steps: planned, sandbox: { available: true, network: true }, criticalPath: [] };
}

/** The number of comparisons while a whole plan runs, one step at a time. */
function drain(count: number): { order: string[]; reads: number } {
  const schedule = createSchedule(layered(count, 10), 2);
  let reads = 0;
  for (const node of schedule.nodes.values()) {
    const { weight } = node;
    Object.defineProperty(node, "weight", {
      get() {
        reads += 1;
        return weight;
      },
    });
  }
  const order: string[] = [];
  for (let planned = take(schedule); planned !== undefined; planned = take(schedule)) {
    order.push(planned.step.id);
    finishStep(schedule, planned.step.id, "passed");
  }
  return { order, reads };
}

describe("schedule", () => {
  test("takes no more time per step for 5,000 steps than for 200", () => {
    const small = drain(200);
    const large = drain(5000);
    expect([small.order.length, large.order.length, new Set(large.order).size]).toEqual([200, 5000, 5000]);
    expect(large.reads / 5000).toBeLessThan((small.reads / 200) * 1.3);
  });

  test("throws if a step ends twice", () => {
    const schedule = createSchedule(layered(1, 1), 1);
    take(schedule);
    finishStep(schedule, "s0", "passed");
    expect(() => finishStep(schedule, "s0", "failed")).toThrow("step s0 ended twice: passed, then failed");
  });
});

test("the queue returns the heaviest step first, in the order of the manifest among equals", () => {
  const queue: Ranked[] = [];
  const items = Array.from({ length: 200 }, (_, position) => ({ weight: (position * 7919) % 13, position }));
  for (const item of items) enqueue(queue, item);
  const given = Array.from({ length: 200 }, () => dequeue(queue));
  expect(given).toEqual(items.toSorted((one, other) => other.weight - one.weight || one.position - other.position));
  expect(dequeue(queue)).toBeUndefined();
});
