/** A binary heap in an array: each member comes before those at `2i + 1` and `2i + 2`. Adding and removing cost O(log n). */

/** Whether `a` must leave the heap before `b`. */
export type ComesFirst<T> = (a: T, b: T) => boolean;

/** Adds a member. The first member is `heap[0]`. */
export function pushHeap<T>(heap: T[], item: T, comesFirst: ComesFirst<T>): void {
  let at = heap.length;
  heap.push(item);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above] as T;
    if (!comesFirst(item, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = item;
}

/** Removes the first member. Undefined if the heap is empty. */
export function popHeap<T>(heap: T[], comesFirst: ComesFirst<T>): T | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let at = 0;
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    const right = child + 1;
    if (right < heap.length && comesFirst(heap[right] as T, heap[child] as T)) child = right;
    const value = heap[child] as T;
    if (!comesFirst(value, last)) break;
    heap[at] = value;
    at = child;
  }
  heap[at] = last;
  return first;
}
