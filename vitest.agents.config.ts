import { defineConfig } from "vitest/config";

/** `.ci/run` asks for the counts in a file of its own. */
const results = process.env.WAVE_TEST_RESULTS;

/** The real agents, installed from npm once, on a mock model. */
export default defineConfig({
  test: {
    include: ["__tests__/agents/**/*.test.ts"],
    pool: "forks",
    testTimeout: 120_000,
    hookTimeout: 600_000,
    allowOnly: false,
    reporters: results === undefined ? ["default"] : ["default", ["json", { outputFile: results }]],
  },
});
