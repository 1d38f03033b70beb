/** The shape of documents: what is said, where, and with which fix. */
import { describe, expect, it } from "vitest";
import { problemsOf } from "../../../rig/validated.ts";

const step = (more: string) => `steps:\n  - id: a\n    persona: tester\n    ${more}\n`;

describe("keys", () => {
  it("suggests the known key, at the key", async () => {
    expect(await problemsOf(step("taks: x"))).toEqual(["W201 4:5 unknown key `taks` in item 1 of `steps` (did you mean `task`?) [task]"]);
  });

  it("lists the known keys if none is similar", async () => {
    expect(await problemsOf(step("resources: { zzz: 1 }"))).toEqual([
      "W201 4:18 unknown key `zzz` in `resources` (known keys: `timeout`, `memory_limit`, `disk_limit`, `max_turns`, `max_tokens` and `max_cost`)",
    ]);
  });

  it("refuses keys of features that do not exist", async () => {
    expect(await problemsOf(`policy: {}\n${step("matrix: {}")}`)).toEqual([
      expect.stringContaining("W201 1:1 unknown key `policy`"),
      expect.stringContaining("W201 5:5 unknown key `matrix` in item 1 of `steps`"),
    ]);
  });

  it("names missing keys in every step", async () => {
    expect(await problemsOf("steps:\n  - persona: tester\n  - id: b\n")).toEqual([
      "W203 2:5 `id` is missing in item 1 of `steps` (add `id:`)",
      "W203 3:5 `persona` is missing in item 2 of `steps` (add `persona:`)",
    ]);
  });

  it("treats names of prototype members as unknown keys", async () => {
    expect(await problemsOf(step("constructor: 1"))).toEqual([expect.stringContaining("W201 4:5 unknown key `constructor`")]);
    expect(await problemsOf(step("__proto__: 1"))).toEqual([expect.stringContaining("W201 4:5 unknown key `__proto__`")]);
  });
});

describe("values", () => {
  it.each([
    ["task: 5", "W202 4:11 `task` must be a string, not a number (write it in quotes)"],
    ["task:", "W202 4:5 `task` must be a string, not null"],
    ["reuse: yes", "W202 4:12 `reuse` must be `true` or `false` or a map, not a string"],
    ["inputs: a", "W202 4:13 `inputs` must be a list, not a string"],
    ["resources: { timeout: 5 }", "W202 4:27 `timeout` must be a duration such as `90s`, `10m` or `1h30m`, not a number"],
    ["resources: { timeout: 5 minutes }", "W205 4:27 `5 minutes` for `timeout` is not a duration such as `90s`, `10m` or `1h30m`"],
    ["resources: { timeout: 0s }", "W205 4:27 `0s` is zero (remove the key to use the default)"],
    ["resources: { timeout: 9999h }", "W205 4:27 `9999h` is too long: the maximum is 596h31m"],
    ["resources: { memory_limit: 2 gigs }", "W205 4:32 `2 gigs` for `memory_limit` is not a size such as `512MB`, `2GB` or `1GiB`"],
    [
      "adapter: claud",
      "W204 4:14 `claud` is not allowed for `adapter` (did you mean `claude`? Use `command`, `claude`, `codex`, `copilot`, `gemini`, `opencode`, `api` or `replay`) [claude]",
    ],
    [
      "env: { a-b: x }",
      "W205 4:12 `a-b` in `env` is not the name of an environment variable: ASCII letters, digits and `_`, not starting with a digit",
    ],
    ["env: { A: [] }", "W202 4:15 `A` must be a string, a number or `true` or `false`, not a list"],
    ["secrets: [A, A]", "W205 4:18 item 2 of `secrets` is a duplicate"],
    [
      "permissions: { allow: ['read:**'] }",
      "W205 4:28 `read:**` for item 1 of `allow` is not a permission rule: `file_read:`, `file_write:`, `network_access:` or `command:`, followed by a pattern",
    ],
    ["handover: { contracts: [] }", "W205 4:17 `contracts` is empty"],
  ])("%s", async (more, problem) => expect(await problemsOf(step(more))).toEqual([problem]));

  it.each(["a/b", "..", "a..b", ".hidden", "-x", "a b", "x".repeat(101)])("refuses the id %j", async (id) => {
    const problems = await problemsOf(`steps: [{ id: ${JSON.stringify(id)}, persona: tester }]\n`);
    expect(problems).toEqual([expect.stringMatching(/^W205 1:15 /)]);
  });

  it("reports each malformed name once, not also as unknown", async () => {
    expect(await problemsOf("steps: [{ id: a, persona: 'no one', dependencies: [b/c], inputs: ['d e'] }]\n")).toEqual([
      expect.stringMatching(/^W205 1:27 `no one`/),
      expect.stringMatching(/^W205 1:52 `b\/c`/),
      expect.stringMatching(/^W205 1:67 `d e`/),
    ]);
  });
});

describe("unions", () => {
  const contract = (text: string) => step(`handover: { contract: ${text} }`);

  it.each([
    [
      "an unknown contract type",
      contract("{ type: json_shema, schema: x }"),
      "W204 4:35 `json_shema` is not allowed for `type` (did you mean `json_schema`? Use `json_schema` or `test_suite`) [json_schema]",
    ],
    ["a contract without a type", contract("{ schema: x }"), "W203 4:17 `type` is missing in `contract` (add `type:`)"],
    ["a contract that is no map", contract("yes"), "W202 4:27 `contract` must be a map, not a string"],
    [
      "a key of another contract type",
      contract("{ type: test_suite, command: 'true', schema: x }"),
      "W201 4:64 unknown key `schema` in `contract` (known keys: `type`, `command`, `timeout`, `network`, `protect`, `name`, `on_failure`, `max_retries`, `backoff_strategy`, `backoff_base`, `backoff_max`, `failure_threshold`, `sliding_window_size`, `minimum_attempts`, `reset_timeout` and `circuit_breaker`)",
    ],
    [
      "a bad value in the right branch",
      contract("{ type: test_suite, command: 'true', on_failure: retry, max_retries: 2.5 }"),
      "W202 4:96 `max_retries` must be an integer, not `2.5`",
    ],
    ["an empty command", contract("{ type: test_suite, command: [] }"), "W205 4:47 `command` is empty"],
    ["an input of the wrong kind", step("inputs: [7]"), "W202 4:14 item 1 of `inputs` must be a string or a map, not a number"],
    [
      "a key in an input's map",
      step("inputs: [{ artefact: x }]"),
      "W201 4:16 unknown key `artefact` in item 1 of `inputs` (did you mean `artifact`?) [artifact]",
    ],
  ])("resolves %s", async (_, manifest, problem) => expect(await problemsOf(manifest)).toEqual([problem]));

  it("reports a union or its branch, never both", async () => {
    expect(await problemsOf(contract("{ type: nonsense }"))).toHaveLength(1);
    expect(await problemsOf(contract("5"))).toHaveLength(1);
    expect(await problemsOf(step("artifacts: [{ name: x, media_type: nope }]"))).toHaveLength(1);
  });

  it("resolves unions in unions", async () => {
    expect(await problemsOf(`personas: { p: { command: [1] } }\n${step("")}`)).toEqual([
      "W202 1:28 item 1 of `command` must be a string, not a number (write it in quotes)",
    ]);
  });
});
