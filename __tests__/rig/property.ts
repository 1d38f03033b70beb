/**
 * Property tests draw the same cases every time, so that a red build is about the change it is red on. New ground is
 * broken by asking for it: `WAVE_TEST_SEED=random npm test` (or a number, to draw again what a failure names as its seed).
 */
import fc from "fast-check";

const asked = process.env.WAVE_TEST_SEED;
if (asked !== "random") fc.configureGlobal({ seed: Number(asked ?? 20) });

export default fc;
