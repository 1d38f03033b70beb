/**
 * Whether there is time to look everywhere (`WAVE_TEST_THOROUGH=1`, as the nightly workflow has it): at more instants, and at every place of a sweep.
 * What is looked at otherwise is enough to find what broke a whole part.
 */
export const thorough = process.env["WAVE_TEST_THOROUGH"] === "1";

/** How long a fuzz test looks for new cases, in milliseconds: its share of 10 minutes in the nightly workflow, of 30 seconds otherwise. */
export function fuzzLimitMs(share: number): number {
  return (thorough ? 600_000 : 30_000) * share;
}
