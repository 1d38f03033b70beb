/**
 * Whether there is time to look everywhere (`WAVE_TEST_THOROUGH=1`, as the nightly workflow has it): at more instants, and at every place of a sweep.
 * What is looked at otherwise is enough to find what broke a whole part.
 */
export const thorough = process.env["WAVE_TEST_THOROUGH"] === "1";
