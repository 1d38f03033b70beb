/** The keys of a circuit breaker, alone and merged with `defaults.contract`. */
import { describe, expect, test } from "vitest";
import { type Project, project } from "../../rig/project.ts";

/** A step whose contract fails, with these keys on the contract and in `defaults.contract`. */
function failing(contract: string, defaults = ""): Project {
  return project({
    "wave.yaml": `pipeline:
  name: p
  steps: [{ id: a, persona: s, task: x, handover: { contract: { type: test_suite, command: "false"${contract} } } }]
personas: { s: { adapter: command, command: "true" } }
${defaults === "" ? "" : `defaults: { contract: { ${defaults} } }\n`}`,
  });
}

/** The number of failed runs after which the circuit is open; the limit if it stays closed. */
async function runsUntilOpen(wave: Project, limit: number): Promise<number> {
  for (let runs = 0; runs < limit; runs++) {
    if ((await wave.wave("plan")).stdout.includes("its circuit is open")) return runs;
    expect((await wave.wave("run")).code).toBe(1);
  }
  return limit;
}

describe("a circuit breaker", () => {
  test.each([
    ["opens when the window is full, if that is smaller than the default minimum", ", failure_threshold: 1, sliding_window_size: 2", "", 2],
    [
      "takes its minimum from the contract and its threshold from the defaults",
      ", minimum_attempts: 1",
      "failure_threshold: 0.5, minimum_attempts: 3",
      1,
    ],
    [
      "takes window and minimum from the contract and its threshold from the defaults",
      ", minimum_attempts: 1, sliding_window_size: 1",
      "failure_threshold: 0.5, minimum_attempts: 3",
      1,
    ],
    ["takes its minimum from the defaults and its threshold from the contract", ", failure_threshold: 1", "minimum_attempts: 2", 2],
    ["merges with defaults in the other form", ", circuit_breaker: { failure_threshold: 1 }", "minimum_attempts: 2", 2],
    ["is taken from the defaults as a whole", "", "circuit_breaker: { failure_threshold: 1, minimum_attempts: 2 }", 2],
  ])("%s", async (_, contract, defaults, runs) => {
    const wave = failing(contract, defaults);
    expect(await wave.wave("validate")).toMatchObject({ code: 0, stderr: "" });
    expect(await runsUntilOpen(wave, runs + 1)).toBe(runs);
  });

  test.each(["sliding_window_size: 3", "minimum_attempts: 3", "reset_timeout: 1m"])(
    "is not switched on by `%s`, which is a warning",
    async (key) => {
      const { code, stderr } = await failing(`, ${key}`).wave("validate");
      expect([code, stderr]).toEqual([
        0,
        expect.stringContaining(`[W206] \`${key.split(":")[0]}\` has no effect without \`failure_threshold\``),
      ]);
    },
  );

  test.each([
    ["of the contract", ", failure_threshold: 1, minimum_attempts: 11", ""],
    ["of the contract, under a threshold of the defaults", ", minimum_attempts: 11", "failure_threshold: 1"],
    ["of the defaults", "", "failure_threshold: 1, minimum_attempts: 11"],
    ["of the defaults, above the contract's window", ", sliding_window_size: 2", "failure_threshold: 1, minimum_attempts: 3"],
    ["of the defaults, under a threshold of the contract", ", failure_threshold: 1", "sliding_window_size: 2, minimum_attempts: 3"],
  ])("refuses a minimum %s that its window cannot hold", async (_, contract, defaults) => {
    const { code, stderr } = await failing(contract, defaults).wave("validate");
    expect([code, stderr.split("error[W205] the circuit can never open").length]).toEqual([2, 2]);
  });
});
