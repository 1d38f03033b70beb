/** The steps that may start: the highest weight first, then the lowest position in the manifest. */
import { popHeap, pushHeap } from "../core/heap.ts";

export interface Ranked {
  readonly weight: number;
  readonly position: number;
}

/** A heap. Start with `[]`; the first member is `queue[0]`. */
export type ReadyQueue<T extends Ranked> = T[];

/** Adds a member. */
export function enqueue<T extends Ranked>(queue: ReadyQueue<T>, item: T): void {
  pushHeap(queue, item, comesFirst);
}

/** Removes the first member. Undefined if the queue is empty. */
export function dequeue<T extends Ranked>(queue: ReadyQueue<T>): T | undefined {
  return popHeap(queue, comesFirst);
}

function comesFirst(a: Ranked, b: Ranked): boolean {
  return a.weight > b.weight || (a.weight === b.weight && a.position < b.position);
}
