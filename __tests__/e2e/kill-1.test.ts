/** `kill -9` at seeded random instants, of runs whose steps are isolated. */
import { it } from "vitest";
import { killAndResume } from "../rig/kill-and-resume.ts";

it("at 60 instants: nothing reported is lost, nothing passed is repeated, and the end is that of a calm run", { timeout: 900_000 }, () =>
  killAndResume(60, 14242, "isolated"),
);
