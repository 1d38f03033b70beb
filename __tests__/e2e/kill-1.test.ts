/** `kill -9` at seeded random instants, of runs whose steps are isolated. */
import { it } from "vitest";
import { killAndResume } from "../rig/kill-and-resume.ts";
import { thorough } from "../rig/thorough.ts";

const instants = thorough ? 120 : 60;

it(
  `at ${instants} instants: nothing reported is lost, nothing passed is repeated, and the end is that of a calm run`,
  { timeout: 900_000 },
  () => killAndResume(instants, 14242, "isolated"),
);
