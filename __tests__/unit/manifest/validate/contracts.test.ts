/** A step's door: artifacts, contracts and what they do when they fail. */
import { describe, expect, it } from "vitest";
import type { ContractDefinition } from "../../../../src/core/pipeline.ts";
import { pipelineOf, problemsOf, stepOf, validateFiles } from "../../../rig/validated.ts";

const step = (door: string, head = "") => `${head}steps:\n  - id: a\n    persona: tester\n${door.replaceAll(/^/gm, "    ")}\n`;
const schemas = { "s/report.schema.json": "{}", "s/notes.json": "{}", "t/report.schema.json": "{}", "s/a b.json": "{}" };

describe("artifacts", () => {
  it("are declared by name or by map, each once, inside the workspace", async () => {
    const pipeline = await pipelineOf(step("artifacts: [one, { name: two, path: out/*.md, optional: true, media_type: text/markdown }]"));
    expect(stepOf(pipeline, "a").artifacts).toEqual([
      { name: "one", optional: false, implied: false },
      { name: "two", path: "out/*.md", optional: true, mediaType: "text/markdown", implied: false },
    ]);
    expect(
      await problemsOf(step("artifacts: [one, { name: one }, { name: two, path: ../x }, { name: three, path: /etc/passwd }]")),
    ).toEqual([
      "W312 4:30 the step has two artifacts named `one`",
      "W304 4:56 the artifact's path `../x` is outside the workspace (use a path in the workspace, or write the artifact to `$WAVE_OUTPUT_DIR`)",
      "W304 4:85 the artifact's path `/etc/passwd` is outside the workspace (use a path in the workspace, or write the artifact to `$WAVE_OUTPUT_DIR`)",
    ]);
  });
});

describe("json_schema", () => {
  const contractOf = async (door: string) => {
    const { artifacts, contracts } = stepOf(await pipelineOf(step(door), schemas), "a");
    return [
      artifacts.map(({ name, implied }) => (implied ? `${name}?` : name)),
      contracts.map((contract) => `${contract.name} ${contract.type === "json_schema" ? contract.artifact : ""}`),
    ];
  };

  it.each([
    [
      "takes the only artifact",
      "artifacts: [out]\nhandover: { contract: { type: json_schema, schema: s/notes.json } }",
      [["out"], ["json_schema:out out"]],
    ],
    [
      "takes the one that it names",
      "artifacts: [out, log]\nhandover: { contract: { type: json_schema, schema: s/notes.json, artifact: log } }",
      [["out", "log"], ["json_schema:log log"]],
    ],
    [
      "implies one named after the schema",
      "handover: { contract: { type: json_schema, schema: s/report.schema.json } }",
      [["report?"], ["json_schema:report report"]],
    ],
    [
      "implies one each",
      "handover: { contracts: [{ type: json_schema, schema: s/report.schema.json }, { type: json_schema, schema: ./s//notes.json }] }",
      [
        ["report?", "notes?"],
        ["json_schema:report report", "json_schema:notes notes"],
      ],
    ],
    [
      "judges one artifact twice",
      "handover: { contracts: [{ type: json_schema, schema: s/report.schema.json }, { type: json_schema, schema: t/report.schema.json }] }",
      [["report?"], ["json_schema:report report", "json_schema:report#2 report"]],
    ],
    [
      "may name what another implies",
      "handover: { contracts: [{ type: json_schema, schema: s/report.schema.json }, { type: json_schema, schema: s/notes.json, artifact: report, name: more }] }",
      [["report?"], ["json_schema:report report", "more report"]],
    ],
  ])("%s", async (_, door, expected) => expect(await contractOf(door)).toEqual(expected));

  it.each([
    [
      "artifacts: [one, two]\nhandover: { contract: { type: json_schema, schema: s/notes.json } }",
      "W309 5:27 the contract does not name an artifact, and the step declares several: `one` and `two` (add `artifact: NAME`)",
    ],
    [
      "artifacts: [one]\nhandover: { contract: { type: json_schema, schema: s/notes.json, artifact: oen } }",
      "W309 5:80 the step declares no artifact `oen` (did you mean `one`?) [one]",
    ],
    [
      "handover: { contract: { type: json_schema, schema: s/notes.json, artifact: x } }",
      "W309 4:80 the step declares no artifact `x` (add `artifacts: [x]` to the step)",
    ],
    [
      "handover: { contract: { type: json_schema, schema: s/a b.json } }",
      "W309 4:27 no artifact name can be derived from `s/a b.json` (declare the step's artifact in `artifacts`)",
    ],
    [
      "handover: { contract: { type: json_schema, schema: s/notse.json } }",
      "W303 4:56 the schema `s/notse.json` does not exist (paths are relative to the manifest's directory)",
    ],
    [
      "handover: { contract: { type: json_schema, schema: ../x.json } }",
      "W304 4:56 the schema `../x.json` is outside the project (use a path in the directory of the manifest)",
    ],
  ])("reports the problem of %j", async (door, problem) => expect(await problemsOf(step(door), schemas)).toEqual([problem]));

  it("reports every problem of a definition, at its position in the schema if it has one, and checks each schema once", async () => {
    const asked: ContractDefinition[] = [];
    const door =
      "handover: { contracts: [{ type: json_schema, schema: s/notes.json }, { type: json_schema, schema: s/notes.json, name: again }, { type: test_suite, command: x }] }";
    const problems = await problemsOf(step(door), schemas, {
      checkContract: async (contract, files) => {
        asked.push(contract);
        expect([...files.keys()]).toEqual(["s/notes.json"]);
        return contract.type === "json_schema"
          ? [{ message: "no such type", hint: "use `string`", location: { file: "s/notes.json", line: 1, column: 2 } }]
          : [{ message: "no" }];
      },
    });
    expect(problems).toEqual(["W310 s/notes.json:1:2 no such type (use `string`)", "W310 4:132 no"]);
    expect(asked.map(({ name }) => name)).toEqual(["json_schema:notes", "test_suite"]);
  });
});

describe("a contract's rules on failure", () => {
  const contractOf = async (text: string, head = "") =>
    stepOf(await pipelineOf(step(`handover: { contract: { type: test_suite, command: [npm, test]${text} } }`, head)), "a").contracts[0];
  const warnings = (text: string) => problemsOf(step(`handover: { contract: { type: test_suite, command: x${text} } }`));

  it("default to the documented values", async () => {
    expect(await contractOf("")).toMatchObject({
      name: "test_suite",
      command: ["npm", "test"],
      timeoutMs: 600_000,
      onFailure: "halt",
      maxRetries: 2,
      backoff: { strategy: "none", baseMs: 1000, maxMs: 60_000 },
    });
    expect(await contractOf(", circuit_breaker: { failure_threshold: 0.5 }")).toMatchObject({
      breaker: { failureThreshold: 0.5, windowSize: 10, minimumAttempts: 5, resetTimeoutMs: 600_000 },
    });
  });

  it("take the contract's settings before the manifest's defaults", async () => {
    const head =
      "defaults: { contract: { on_failure: retry, max_retries: 5, backoff_strategy: linear, backoff_base: 2s, timeout: 1m, circuit_breaker: { failure_threshold: 1, sliding_window_size: 3 } } }\n";
    expect(await contractOf(", max_retries: 1, backoff_base: 3m, timeout: 90s", head)).toMatchObject({
      onFailure: "retry",
      maxRetries: 1,
      backoff: { strategy: "linear", baseMs: 180_000, maxMs: 180_000 },
      timeoutMs: 90_000,
      breaker: { failureThreshold: 1, windowSize: 3, minimumAttempts: 3, resetTimeoutMs: 600_000 },
    });
  });

  it("include warnings about keys without effect", async () => {
    expect(await warnings(", max_retries: 3")).toEqual([
      "~W206 4:59 `max_retries` has no effect without `on_failure: retry` (the contract's `on_failure` is `halt`)",
    ]);
    expect(await warnings(", on_failure: retry, backoff_base: 3s")).toEqual([
      "~W206 4:78 `backoff_base` has no effect without a `backoff_strategy` (add `backoff_strategy: exponential`)",
    ]);
  });

  it("must be possible", async () => {
    expect(await warnings(", on_failure: retry, backoff_strategy: linear, backoff_base: 5s, backoff_max: 1s")).toEqual([
      "W205 4:135 `backoff_max` is shorter than `backoff_base` (increase `backoff_max`, or reduce `backoff_base`)",
    ]);
    expect(await warnings(", circuit_breaker: { failure_threshold: 0.5, sliding_window_size: 3, minimum_attempts: 4 }")).toEqual([
      "W205 4:126 the circuit can never open: the window has 3 attempts, but `minimum_attempts` is 4",
    ]);
    expect(await warnings(", circuit_breaker: { failure_threshold: 1.5 }")).toEqual([
      expect.stringContaining("W205 4:97 `1.5` for `failure_threshold` must be <= 1"),
    ]);
  });

  it("include names that are unique in the step", async () => {
    const door = "handover: { contracts: [{ type: test_suite, command: x, name: t }, { type: test_suite, command: y, name: t }] }";
    expect(await problemsOf(step(door))).toEqual(["W312 4:110 the step has two contracts named `t`"]);
    const { project } = await validateFiles({
      "wave.yaml": step(
        "handover: { contracts: [{ type: test_suite, command: x }, { type: test_suite, command: y }, { type: test_suite, command: z, name: test_suite }] }",
      ),
    });
    expect(project?.pipelines[0]?.pipeline.steps[0]?.contracts.map(({ name }) => name)).toEqual([
      "test_suite#2",
      "test_suite#3",
      "test_suite",
    ]);
  });
});
