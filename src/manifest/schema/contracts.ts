/** Schemas of contracts. Imported for types and by the generator only, like `manifest.ts`. */
import { Type } from "typebox";
import { CommandValue, duration, name, projectPath, strict } from "./primitives.ts";

const failureThreshold = Type.Number({
  minimum: 0,
  maximum: 1,
  description: "Share of failed attempts in the window at which the circuit opens, from 0 to 1. Setting it enables the circuit breaker.",
});

const breakerSettings = {
  sliding_window_size: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: "Number of most recent attempts that are counted. Defaults to 10." }),
  ),
  minimum_attempts: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      description:
        "Minimum number of attempts in the window before the circuit can open. At most the window's size. Defaults to 5, or to the window's size if that is smaller.",
    }),
  ),
  reset_timeout: Type.Optional(duration("Time that the circuit stays open before one attempt is let through as a probe. Defaults to 10m.")),
};

/** The circuit breaker's keys, as written directly on a contract. */
export const flatBreaker = { failure_threshold: Type.Optional(failureThreshold), ...breakerSettings };

export const CircuitBreakerSchema = Type.Object(
  { failure_threshold: failureThreshold, ...breakerSettings },
  { ...strict, description: "Circuit breaker for a persona that keeps failing this contract. It counts attempts across runs." },
);

/** The keys of every contract type. */
export const contractCommon = {
  name: Type.Optional(name("Name of the contract in reports. Defaults to `json_schema:ARTIFACT` or `test_suite`.")),
  on_failure: Type.Optional(
    Type.Enum(["halt", "retry", "warn"], {
      description:
        "Action on a failed verdict: `halt` fails the step, `retry` starts another attempt with feedback, `warn` only reports it. Defaults to `halt`.",
    }),
  ),
  max_retries: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 100, description: "Maximum number of retries with `on_failure: retry`. Defaults to 2." }),
  ),
  backoff_strategy: Type.Optional(
    Type.Enum(["none", "constant", "linear", "exponential"], {
      description: "Growth of the delay between retries. Defaults to `none`.",
    }),
  ),
  backoff_base: Type.Optional(duration("Delay before the first retry. Defaults to 1s.")),
  backoff_max: Type.Optional(duration("Maximum delay between retries. Defaults to 1m.")),
  ...flatBreaker,
  circuit_breaker: Type.Optional(CircuitBreakerSchema),
};

export const JsonSchemaContractSchema = Type.Object(
  {
    type: Type.Literal("json_schema"),
    schema: Type.Optional(
      projectPath("JSON Schema file (draft-07, 2019-09 or 2020-12). Defaults to `.wave/contracts/ARTIFACT.schema.json`."),
    ),
    artifact: Type.Optional(name("Artifact to check. Defaults to the step's only artifact, or to the one named like the schema file.")),
    ...contractCommon,
  },
  { ...strict, description: "Checks that an artifact is JSON and valid against a schema." },
);

export const TestSuiteContractSchema = Type.Object(
  {
    type: Type.Literal("test_suite"),
    command: CommandValue,
    timeout: Type.Optional(duration("Timeout of the command. Defaults to 10m.")),
    network: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: "Hosts that the command may connect to, as `host` or `host:port`. `*` matches any characters. Defaults to none.",
      }),
    ),
    protect: Type.Optional(
      Type.Array(projectPath("A glob."), {
        minItems: 1,
        description:
          "Files to restore before the command runs. They come from the base commit for pull requests from forks, otherwise from the base of the run. Matching files that do not exist there are removed, including all ignored files.",
      }),
    ),
    ...contractCommon,
  },
  { ...strict, description: "Checks that a command succeeds in the step's workspace." },
);

export const ContractSchema = Type.Union([JsonSchemaContractSchema, TestSuiteContractSchema], {
  description: "Check of a step's output.",
});
