/** Contracts in a manifest. For types and for the generator, as `manifest.ts`. */
import { Type } from "typebox";
import { Command, duration, name, projectPath, strict } from "./primitives.ts";

const failureThreshold = Type.Number({
  minimum: 0,
  maximum: 1,
  description: "Switches the circuit breaker on: the circuit opens when this share of the window's attempts failed, 0 to 1.",
});

const breakerSettings = {
  sliding_window_size: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: "How many of the last attempts count (default 10)." }),
  ),
  minimum_attempts: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: "How many attempts the window needs before it can open, at most its size (default 5, or the window if that is smaller).",
    }),
  ),
  reset_timeout: Type.Optional(duration("How long an open circuit waits before it lets one probe through (default 10m).")),
};

/** The circuit breaker's keys, written on the contract itself. */
export const flatBreaker = { failure_threshold: Type.Optional(failureThreshold), ...breakerSettings };

export const CircuitBreakerSchema = Type.Object(
  { failure_threshold: failureThreshold, ...breakerSettings },
  { ...strict, description: "Stops paying for a persona that keeps failing this contract, across runs." },
);

/** What every contract has, whatever its type. */
export const contractCommon = {
  name: Type.Optional(name("The contract's name in reports (default: its type, and what it names).")),
  on_failure: Type.Optional(
    Type.Enum(["halt", "retry", "warn"], {
      description: "What a failed verdict does: fail the step (`halt`, the default), try again with feedback, or only warn.",
    }),
  ),
  max_retries: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 100, description: "With `on_failure: retry`: how many more attempts (default 2)." }),
  ),
  backoff_strategy: Type.Optional(
    Type.Enum(["none", "constant", "linear", "exponential"], {
      description: "How the wait before a retry grows (default none).",
    }),
  ),
  backoff_base: Type.Optional(duration("The first wait (default 1s).")),
  backoff_max: Type.Optional(duration("The longest wait (default 1m).")),
  ...flatBreaker,
  circuit_breaker: Type.Optional(CircuitBreakerSchema),
};

export const JsonSchemaContractSchema = Type.Object(
  {
    type: Type.Literal("json_schema"),
    schema: Type.Optional(
      projectPath("The JSON Schema file (draft-07, 2019-09 or 2020-12). Defaults to `.wave/contracts/ARTIFACT.schema.json`."),
    ),
    artifact: Type.Optional(name("The artifact to check (default: the step's only artifact, or one named after the schema file).")),
    ...contractCommon,
  },
  { ...strict, description: "The artifact is JSON and valid against a schema." },
);

export const TestSuiteContractSchema = Type.Object(
  {
    type: Type.Literal("test_suite"),
    command: Command,
    timeout: Type.Optional(duration("How long the command may take (default 10m).")),
    network: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: "Hosts that the command may reach, as `host` or `host:port` with `*` for any run of characters (default: none).",
      }),
    ),
    protect: Type.Optional(
      Type.Array(projectPath("A glob."), {
        minItems: 1,
        description:
          "Files that are restored from the trusted source before the command runs: the base commit of a fork's pull request, else the base of the run. Matching files that the source does not have, which include all ignored files, are removed.",
      }),
    ),
    ...contractCommon,
  },
  { ...strict, description: "A command passes in the step's workspace." },
);

export const ContractSchema = Type.Union([JsonSchemaContractSchema, TestSuiteContractSchema], {
  description: "A gate on the step's output.",
});
