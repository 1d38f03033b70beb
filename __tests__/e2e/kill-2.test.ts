/** `kill -9` at seeded random instants, of runs whose steps work in the project itself. */
import { it } from "vitest";
import { killAndResume } from "../rig/kill-and-resume.ts";
import { thorough } from "../rig/thorough.ts";

const instants = thorough ? 280 : 140;

it(
  `at ${instants} instants: nothing reported is lost, nothing passed is repeated, and the end is that of a calm run`,
  { timeout: 900_000 },
  () => killAndResume(instants, 24242, "in place"),
);
