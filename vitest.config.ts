import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** `.ci/run` asks for the counts in a file of its own. */
const results = process.env.WAVE_TEST_RESULTS;

/** The longest files, which begin first so that the end does not wait for one of them. */
const longest = [
  "git-layouts",
  "action-services",
  "kill-1",
  "kill-2",
  "evaluation-limits",
  "action-bad-days",
  "rollback-resume",
  "escape",
  "escape-git",
  "action-reports",
  "action-start-rules",
  "bad-input",
  "action-resume",
  "action-fork",
  "ordinary-work",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return at < 0 ? longest.length : at;
    };
    return [...(await super.sort(files))].sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    projects: [
      // A process of its own for each of these small files would cost more than what they test; nothing in them outlives a test.
      { extends: true, test: { name: "unit", include: ["__tests__/unit/**/*.test.ts"], isolate: false } },
      // Real agents are hundreds of megabytes: `npm run test:agents`.
      {
        extends: true,
        test: {
          name: "whole",
          include: ["__tests__/**/*.test.ts"],
          exclude: ["__tests__/{unit,agents}/**"],
          setupFiles: ["__tests__/rig/remove-shadows.ts"],
        },
      },
    ],
    globalSetup: ["__tests__/rig/actions/node24.ts"],
    pool: "forks",
    // Much of the time is spent waiting for children; by itself vitest leaves one processor out.
    maxWorkers: Math.max(2, availableParallelism()),
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    allowOnly: false,
    reporters: results === undefined ? ["default"] : ["default", ["json", { outputFile: results }]],
  },
});
