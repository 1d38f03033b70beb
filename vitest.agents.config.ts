import { defineConfig } from "vitest/config";

/** The real agents, installed from npm once, on a mock model. */
export default defineConfig({
  test: { include: ["__tests__/agents/**/*.test.ts"], pool: "forks", testTimeout: 120_000, hookTimeout: 600_000, allowOnly: false },
});
