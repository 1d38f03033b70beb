/** Keys of the Actions cache. */

import { expect, it } from "vitest";
import { type CacheScope, restoreKeys, saveKey } from "../../../src/store/cache-keys.ts";
import fc from "../../rig/property.ts";

const scope: CacheScope = {
  ...{ project: "0123456789ab", pipeline: "review", ref: "pull/7", workflowRun: 100, run: "ba9876543210", job: "build", attempt: 2 },
};

it("restores from this run and job first, then from this run, the workflow run, the branch, and any branch", () => {
  expect(saveKey(scope, 1)).toBe("wave2/0123456789ab/review/pull%2f.7/100/ba9876543210/build/2/1");
  expect(restoreKeys(scope)).toEqual([
    "wave2/0123456789ab/review/pull%2f.7/100/ba9876543210/build/",
    "wave2/0123456789ab/review/pull%2f.7/100/ba9876543210/",
    "wave2/0123456789ab/review/pull%2f.7/100/",
    "wave2/0123456789ab/review/pull%2f.7/",
    "wave2/0123456789ab/review/",
  ]);
});

it("keeps every key within the service's limits, and never confuses two scopes", () => {
  const part = fc.string({ unit: "grapheme", maxLength: 300 });
  const short = fc.stringMatching(/^[0-9a-f]{12}$/);
  const any = fc.record({
    project: short,
    run: short,
    pipeline: part,
    ref: part,
    workflowRun: fc.nat(),
    job: part,
    attempt: fc.integer({ min: 1, max: 99 }),
  });
  fc.assert(
    fc.property(any, any, (a, b) => {
      const key = saveKey(a, 1);
      expect(key.length).toBeLessThanOrEqual(512);
      expect(key).not.toContain(",");
      expect(key.split("/")).toHaveLength(9);
      const [nearest] = restoreKeys(a);
      expect(key.startsWith(nearest)).toBe(true);
      expect(nearest.endsWith("/")).toBe(true);
      // Another job, branch or pipeline whose name starts with this one's is a different scope.
      if (a.job !== b.job) expect(saveKey({ ...a, job: b.job }, 1).startsWith(nearest)).toBe(false);
      if (a.pipeline !== b.pipeline) expect(saveKey({ ...a, pipeline: b.pipeline }, 1).startsWith(restoreKeys(a).at(-1) ?? "")).toBe(false);
    }),
    { seed: 4, numRuns: 300 },
  );
});
