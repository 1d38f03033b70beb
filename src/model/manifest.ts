/**
 * The manifest's vocabulary, written once. The TypeScript types below are inferred from these schemas, `schema/*.json` is
 * printed from them, and the validator in `validate/` is compiled from them; so the three cannot disagree.
 *
 * This module is for types and for the generator: nothing that runs in a bundle imports its values.
 */
import { type Static, Type } from "typebox";
import { type AdapterName as KnownAdapter, adapterNames } from "./names.ts";

const strict = { additionalProperties: false } as const;

/** Ids name directories, artifacts and check runs: letters, digits, `.`, `_`, `-`; no leading dot, at most 100. */
const name = (description = "Letters, digits, `_`, `-` and single dots; at most 100 characters.") =>
  Type.String({ pattern: "^[A-Za-z0-9_](?:[A-Za-z0-9_-]|\\.(?!\\.))*$", maxLength: 100, description });

const projectPath = (description = "A path inside the project, relative to its root.") =>
  Type.String({ minLength: 1, maxLength: 4096, description });

const duration = (description = "A duration: `90s`, `10m`, `1h30m`, `250ms`.") => Type.String({
  pattern: "^[0-9]+(?:\\.[0-9]+)?(?:ms|s|m|h)(?:[0-9]+(?:\\.[0-9]+)?(?:ms|s|m|h))*$",
  description,
  examples: ["90s", "10m", "2h"],
});

const size = (description: string) => Type.String({
  pattern: "^[0-9]+(?:\\.[0-9]+)?\\s?(?:B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$",
  description,
  examples: ["512MB", "2GB", "1GiB"],
});

const EnvName = Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$", description: "The name of an environment variable." });

const Env = Type.Record(
  Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$" }),
  Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
  { ...strict, description: "Environment variables that a child process sees." },
);

const Secrets = Type.Array(EnvName, {
  uniqueItems: true,
  description: "Names of environment variables that a child may see and that are scrubbed from everything stored or shown.",
});

const Command = Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String(), { minItems: 1 })], {
  description: "A program and its arguments as a list, or a shell command as a string (run by `sh -c`).",
});


const AdapterName = Type.Enum([...adapterNames], { description: "How a persona is executed." });

const PermissionRule = Type.String({
  pattern: "^(?:file_read|file_write|network_access|command):.+$",
  description: "`capability:pattern` with the capabilities file_read, file_write, network_access and command.",
  examples: ["file_read:**", "file_write:src/**", "network_access:*", "command:git *"],
});

export const PermissionsSchema = Type.Object(
  {
    allow: Type.Optional(Type.Array(PermissionRule, { description: "What is allowed. A capability with no allow rule is unrestricted." })),
    deny: Type.Optional(Type.Array(PermissionRule, { description: "What is denied, whatever is allowed." })),
  },
  { ...strict, description: "What the step may read, write, reach and run. The step and its persona both have to allow it." },
);

export const ResourcesSchema = Type.Object(
  {
    timeout: Type.Optional(duration("How long one attempt may take (default 30m).")),
    memory_limit: Type.Optional(size("How much memory the attempt's processes may hold together.")),
  },
  { ...strict, description: "Limits on one attempt." },
);

export const CircuitBreakerSchema = Type.Object(
  {
    failure_threshold: Type.Number({
      minimum: 0,
      maximum: 1,
      description: "The circuit opens when this share of the window's attempts failed, 0 to 1.",
    }),
    sliding_window_size: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: "How many of the last attempts count (default 10)." })),
    minimum_attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: "How many attempts the window needs before it can open (default 5)." })),
    reset_timeout: Type.Optional(duration("How long an open circuit waits before it lets one probe through (default 10m).")),
  },
  { ...strict, description: "Stops paying for a persona that keeps failing this contract, across runs." },
);

/** What every contract has, whatever its type. */
const contractCommon = {
  name: Type.Optional(name("The contract's name in reports (default: its type, and what it names).")),
  on_failure: Type.Optional(
    Type.Enum(["halt", "retry", "warn"], {
      description: "What a failed verdict does: fail the step (`halt`, the default), try again with feedback, or only warn.",
    }),
  ),
  max_retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, description: "With `on_failure: retry`: how many more attempts (default 2)." })),
  backoff_strategy: Type.Optional(
    Type.Enum(["none", "constant", "linear", "exponential"], {
      description: "How the wait before a retry grows (default none).",
    }),
  ),
  backoff_base: Type.Optional(duration("The first wait (default 1s).")),
  backoff_max: Type.Optional(duration("The longest wait (default 1m).")),
  circuit_breaker: Type.Optional(CircuitBreakerSchema),
};

export const JsonSchemaContractSchema = Type.Object(
  {
    type: Type.Literal("json_schema"),
    schema: projectPath("The JSON Schema file (draft-07, 2019-09 or 2020-12)."),
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
    ...contractCommon,
  },
  { ...strict, description: "A command passes in the step's workspace." },
);

export const ContractSchema = Type.Union([JsonSchemaContractSchema, TestSuiteContractSchema], {
  description: "A gate on the step's output.",
});

export const HandoverSchema = Type.Object(
  {
    contract: Type.Optional(ContractSchema),
    contracts: Type.Optional(Type.Array(ContractSchema, { minItems: 1, description: "Several contracts; all must pass." })),
  },
  { ...strict, description: "The contracts at the step's door." },
);

export const ArtifactSchema = Type.Union(
  [
    name(),
    Type.Object(
      {
        name: name(),
        path: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: "Where it lies in the workspace; a glob that matches one file." })),
        optional: Type.Optional(Type.Boolean({ description: "The step may pass without it." })),
        media_type: Type.Optional(Type.String({ pattern: "^[a-z0-9.+-]+/[A-Za-z0-9.+-]+$", description: "Its media type (default: by the file's ending)." })),
      },
      strict,
    ),
  ],
  { description: "An output of the step: a name, or a map." },
);

export const InputSchema = Type.Union(
  [
    name(),
    Type.Object(
      {
        artifact: name(),
        from: Type.Optional(name("The step that makes it. Adds an edge to the graph.")),
        as: Type.Optional(name("The name under which this step sees it.")),
        optional: Type.Optional(Type.Boolean({ description: "The step may run without it." })),
      },
      strict,
    ),
  ],
  { description: "An artifact of an upstream step: a name, or a map." },
);

export const PersonaSchema = Type.Object(
  {
    description: Type.Optional(Type.String({ description: "One line for people." })),
    adapter: Type.Optional(AdapterName),
    model: Type.Optional(Type.String({ minLength: 1, description: "The model, by the adapter's own name for it." })),
    prompt: Type.Optional(projectPath("A file with the system prompt.")),
    system_prompt: Type.Optional(Type.String({ description: "The system prompt itself." })),
    command: Type.Optional(Command),
    permissions: Type.Optional(PermissionsSchema),
    resources: Type.Optional(ResourcesSchema),
    env: Type.Optional(Env),
    secrets: Type.Optional(Secrets),
  },
  { ...strict, description: "A pre-configured execution environment." },
);

export const StepSchema = Type.Object(
  {
    id: name(),
    persona: name("Who does the work."),
    task: Type.Optional(Type.String({ description: "What is to be done. `{{ inputs.NAME }}`, `{{ input }}`, `{{ run.id }}` and `{{ step.id }}` are filled at run time." })),
    dependencies: Type.Optional(Type.Array(name(), { uniqueItems: true, description: "Steps that have to pass first." })),
    inputs: Type.Optional(Type.Array(InputSchema)),
    artifacts: Type.Optional(Type.Array(ArtifactSchema)),
    handover: Type.Optional(HandoverSchema),
    permissions: Type.Optional(PermissionsSchema),
    resources: Type.Optional(ResourcesSchema),
    env: Type.Optional(Env),
    secrets: Type.Optional(Secrets),
    adapter: Type.Optional(AdapterName),
    workspace: Type.Optional(Type.Enum(["shared"], { description: "Runs in the project itself, alone. What it changes there stays, also when it fails." })),
    sandbox: Type.Optional(Type.Enum(["off"], { description: "Runs although denied permissions cannot be enforced." })),
    reuse: Type.Optional(Type.Boolean({ description: "Take equal, passed work from an earlier run instead of running again." })),
    optional: Type.Optional(Type.Boolean({ description: "The run may pass although this step fails." })),
    labels: Type.Optional(Type.Record(Type.String(), Type.String(), { description: "Free labels, shown in plans and reports." })),
  },
  { ...strict, description: "One unit of work." },
);

const Steps = Type.Array(StepSchema, { minItems: 1, description: "The steps. Their order does not matter." });

const version = (description = "A label such as `v1`.") => Type.String({ minLength: 1, maxLength: 100, description });

export const PipelineSchema = Type.Object(
  {
    name: name(),
    version: Type.Optional(version()),
    description: Type.Optional(Type.String({ description: "One line for people." })),
    steps: Steps,
  },
  { ...strict, description: "A named, versioned DAG of steps." },
);

export const PipelineReferenceSchema = Type.Union(
  [
    projectPath(),
    Type.Object(
      {
        versions: Type.Record(Type.String(), projectPath(), { minProperties: 1, description: "Version → pipeline file." }),
        active: version("The version that runs when none is asked for."),
      },
      strict,
    ),
  ],
  { description: "A pipeline file, or its versions and which one is active." },
);

/** Settings for every persona on one adapter. */
export const AdapterSettingsSchema = Type.Object(
  {
    command: Type.Optional(Command),
    version: Type.Optional(Type.String({ minLength: 1, description: "The exact version of the agent." })),
    base_url: Type.Optional(Type.String({ pattern: "^https?://", description: "The endpoint of the model API." })),
    model: Type.Optional(Type.String({ minLength: 1, description: "The model of personas that name none." })),
  },
  { ...strict, description: "Settings for every persona on this adapter." },
);

export const DefaultsSchema = Type.Object(
  {
    adapter: Type.Optional(AdapterName),
    concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 256, description: "How many steps may run at once (default: the number of processors, at most 8)." })),
    timeout: Type.Optional(duration()),
    workspace: Type.Optional(Type.Enum(["shared"])),
    reuse: Type.Optional(Type.Boolean({ description: "Take equal, passed work from earlier runs." })),
    contract: Type.Optional(
      Type.Object(
        {
          on_failure: contractCommon.on_failure,
          max_retries: contractCommon.max_retries,
          backoff_strategy: contractCommon.backoff_strategy,
          backoff_base: contractCommon.backoff_base,
          backoff_max: contractCommon.backoff_max,
          circuit_breaker: contractCommon.circuit_breaker,
          timeout: Type.Optional(duration()),
        },
        { ...strict, description: "What contracts that say nothing else use." },
      ),
    ),
  },
  { ...strict, description: "What steps and contracts that say nothing else use." },
);

export const StateSettingsSchema = Type.Object(
  { location: Type.Optional(projectPath("Where state lies (default `.wave/state`).")) },
  { ...strict, description: "Where runs are remembered." },
);

/** Keys that a manifest may have beside its pipelines. */
const manifestCommon = {
  name: Type.Optional(name("With bare `steps:`: the pipeline's name (default: the file's).")),
  version: Type.Optional(version()),
  description: Type.Optional(Type.String()),
  personas: Type.Optional(
    Type.Record(Type.String(), Type.Union([projectPath(), PersonaSchema]), { description: "Name → a definition, or a file with one." }),
  ),
  adapters: Type.Optional(
    Type.Object(Object.fromEntries(adapterNames.map((name) => [name, Type.Optional(AdapterSettingsSchema)])) as Record<(typeof adapterNames)[number], ReturnType<typeof optionalSettings>>, {
      ...strict,
      description: "Adapter → its settings.",
    }),
  ),
  defaults: Type.Optional(DefaultsSchema),
  env: Type.Optional(Env),
  secrets: Type.Optional(Secrets),
  sandbox: Type.Optional(Type.Enum(["off"], { description: "Every step runs although denied permissions cannot be enforced." })),
  state: Type.Optional(StateSettingsSchema),
};

function optionalSettings() {
  return Type.Optional(AdapterSettingsSchema);
}

export const ManifestSchema = Type.Object(
  {
    ...manifestCommon,
    pipeline: Type.Optional(PipelineSchema),
    steps: Type.Optional(Steps),
    pipelines: Type.Optional(Type.Record(Type.String(), PipelineReferenceSchema, { description: "Pipelines in files of their own." })),
  },
  { ...strict, description: "A wave manifest: `pipeline:`, bare `steps:`, or `pipelines:`." },
);

/** A file under `pipelines:`. */
export const PipelineFileSchema = Type.Object({ pipeline: PipelineSchema }, { ...strict, description: "A pipeline in a file of its own." });

export type PermissionsDocument = Static<typeof PermissionsSchema>;
export type ResourcesDocument = Static<typeof ResourcesSchema>;
export type CircuitBreakerDocument = Static<typeof CircuitBreakerSchema>;
export type ContractDocument = Static<typeof ContractSchema>;
export type ArtifactDocument = Static<typeof ArtifactSchema>;
export type InputDocument = Static<typeof InputSchema>;
export type PersonaDocument = Static<typeof PersonaSchema>;
export type StepDocument = Static<typeof StepSchema>;
export type PipelineDocument = Static<typeof PipelineSchema>;
export type DefaultsDocument = Static<typeof DefaultsSchema>;
export type ManifestDocument = Static<typeof ManifestSchema>;
export type AdapterName = KnownAdapter;
