/** A binary heap. Adding and removing cost O(log n). */

/** Sort order: the highest weight first, then the lowest position in the manifest. */
export interface Ranked {
  readonly weight: number;
  readonly position: number;
}

/** Every member comes before its children at `2i + 1` and `2i + 2`. Start with `[]`; the first member is `queue[0]`. */
export type ReadyQueue<T extends Ranked> = T[];

/** Adds a member. */
export function enqueue<T extends Ranked>(queue: ReadyQueue<T>, item: T): void {
  let at = queue.length;
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = queue[above];
    if (parent === undefined || !comesFirst(item, parent)) break;
    queue[at] = parent;
    at = above;
  }
  queue[at] = item;
}

/** Removes the first member. Undefined if the queue is empty. */
export function dequeue<T extends Ranked>(queue: ReadyQueue<T>): T | undefined {
  const first = queue[0];
  const last = queue.pop();
  if (last !== undefined && queue.length > 0) sink(queue, last);
  return first;
}

function sink<T extends Ranked>(queue: ReadyQueue<T>, item: T): void {
  let at = 0;
  for (;;) {
    const left = queue[2 * at + 1];
    const right = queue[2 * at + 2];
    if (left === undefined) break;
    const rightFirst = right !== undefined && comesFirst(right, left);
    const child = rightFirst ? right : left;
    if (!comesFirst(child, item)) break;
    queue[at] = child;
    at = 2 * at + (rightFirst ? 2 : 1);
  }
  queue[at] = item;
}

function comesFirst(a: Ranked, b: Ranked): boolean {
  return a.weight > b.weight || (a.weight === b.weight && a.position < b.position);
}
