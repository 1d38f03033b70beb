import { defineConfig } from "vitest/config";

/** `.ci/run` asks for the counts in a file of its own. */
const results = process.env.WAVE_TEST_RESULTS;

export default defineConfig({
  test: {
    include: ["__tests__/**/*.test.ts"],
    globalSetup: ["__tests__/rig/actions/node24.ts"],
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 30_000,
    allowOnly: false,
    reporters: results === undefined ? ["default"] : ["default", ["json", { outputFile: results }]],
  },
});
