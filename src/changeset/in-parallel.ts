/** Runs asynchronous work on many things, a few at a time. */

/**
 * Returns the results in the order of the things. After the first result for which `isLast` returns true, no further work
 * starts, and running work is awaited; results of work that never started are `undefined`.
 */
export async function inParallel<T, R>(
  things: readonly T[],
  width: number,
  work: (thing: T) => Promise<R>,
  isLast: (result: R) => boolean,
): Promise<readonly (R | undefined)[]> {
  const results: (R | undefined)[] = Array.from({ length: things.length });
  let next = 0;
  let ended = false;
  await Promise.all(
    Array.from({ length: Math.min(width, things.length) }, async () => {
      while (!ended && next < things.length) {
        const at = next++;
        const result = await work(things[at] as T);
        results[at] = result;
        if (isLast(result)) ended = true;
      }
    }),
  );
  return results;
}
