/** Keeps the event loop responsive during long synchronous work, so that signals and timers are handled. */

/** Returns a function to await after each unit of work: it yields to the event loop on every `every`-th call. */
export function breather(every: number): () => Promise<void> | undefined {
  let calls = 0;
  return () => (++calls % every === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined);
}
