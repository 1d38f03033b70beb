/** Does asynchronous work on many things, a few at a time. */

/**
 * Gives the results in the order of the things. After the first one that `isLast` no further work begins, and what was begun is
 * waited for; places that were never worked on stay `undefined`.
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
