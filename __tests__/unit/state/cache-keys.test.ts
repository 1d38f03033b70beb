/** Keys of the Actions cache. */

import { expect, it } from "vitest";
import { type CacheScope, restoreKeys, saveKey } from "../../../src/state/cache-keys.ts";
import fc from "../../rig/property.ts";

const scope: CacheScope = { pipeline: "review", ref: "pull/7", workflowRun: 100, job: "build", matrixKey: "", attempt: 2 };

it("restores from this job first, then from any job of the workflow run, the branch, and any branch", () => {
  expect(saveKey(scope, 1)).toBe("wave1/review/pull%2f.7/100/build/%/2/1");
  expect(restoreKeys(scope)).toEqual([
    "wave1/review/pull%2f.7/100/build/%/",
    "wave1/review/pull%2f.7/100/",
    "wave1/review/pull%2f.7/",
    "wave1/review/",
  ]);
});

it("keeps every key within the service's limits, and never takes one scope for another", () => {
  const part = fc.string({ unit: "grapheme", maxLength: 300 });
  const any = fc.record({
    pipeline: part,
    ref: part,
    workflowRun: fc.nat(),
    job: part,
    matrixKey: fc.stringMatching(/^[A-Za-z0-9._-]{0,40}$/),
    attempt: fc.integer({ min: 1, max: 99 }),
  });
  fc.assert(
    fc.property(any, any, (a, b) => {
      const key = saveKey(a, 1);
      expect(key.length).toBeLessThanOrEqual(512);
      expect(key).not.toContain(",");
      expect(key.split("/")).toHaveLength(8);
      const [nearest] = restoreKeys(a);
      expect(key.startsWith(nearest)).toBe(true);
      expect(nearest.endsWith("/")).toBe(true);
      // A job, a branch, a pipeline whose name begins with another's is another.
      if (a.job !== b.job) expect(saveKey({ ...a, job: b.job }, 1).startsWith(nearest)).toBe(false);
      if (a.pipeline !== b.pipeline) expect(saveKey({ ...a, pipeline: b.pipeline }, 1).startsWith(restoreKeys(a).at(-1) ?? "")).toBe(false);
    }),
    { seed: 4, numRuns: 300 },
  );
});
