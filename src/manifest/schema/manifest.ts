/**
 * Schemas of manifests, pipelines and personas. The TypeScript types are inferred from them; `schema/*.json`, docs/manifest.md and the shapes that the
 * validator checks are generated from them.
 *
 * Imported for types and by the generator only: no bundle contains these schemas.
 */
import { type Static, Type } from "typebox";
import { adapterNames } from "../../core/names.ts";
import { AdapterSettingsSchema } from "./adapters.ts";
import { AlertList } from "./alerts.ts";
import { ContractSchema, contractCommon, flatBreaker } from "./contracts.ts";
import { BudgetSchema, ResourcesSchema } from "./limits.ts";
import { AdapterValue, CommandValue, duration, Env, name, PermissionRuleText, projectPath, Secrets, strict } from "./primitives.ts";
import { SandboxSetting, WorkspaceKind } from "./sandbox.ts";

export const PermissionsSchema = Type.Object(
  {
    allow: Type.Optional(
      Type.Array(PermissionRuleText, { description: "Rules that allow access. A capability without an allow rule is unrestricted." }),
    ),
    deny: Type.Optional(Type.Array(PermissionRuleText, { description: "Rules that deny access. They take precedence over `allow`." })),
  },
  {
    ...strict,
    description:
      "Files that the step may read and write, hosts that it may connect to, and commands that it may run. Both the step and its persona must allow an access.",
  },
);

/** Merged over the rules of the persona of the same name. */
const PersonaPermissionsSchema = Type.Object(
  {
    ...PermissionsSchema.properties,
    replace: Type.Optional(
      Type.Boolean({
        description: "Drop all rules of the persona that this one overrides or extends. By default, its `deny` rules are kept.",
      }),
    ),
  },
  {
    ...strict,
    description: "Files that steps of this persona may read and write, hosts that they may connect to, and commands that they may run.",
  },
);

export const HandoverSchema = Type.Object(
  {
    contract: Type.Optional(ContractSchema),
    contracts: Type.Optional(Type.Array(ContractSchema, { minItems: 1, description: "List of contracts. All of them must pass." })),
  },
  { ...strict, description: "Contracts that the step's output must satisfy." },
);

export const ArtifactSchema = Type.Union(
  [
    name(),
    Type.Object(
      {
        name: name(),
        path: Type.Optional(
          Type.String({ minLength: 1, maxLength: 4096, description: "Path in the workspace, or a glob that matches exactly one file." }),
        ),
        optional: Type.Optional(Type.Boolean({ description: "Whether the step may pass without it." })),
        source: Type.Optional(
          Type.Enum(["message"], {
            description:
              "`message` takes the artifact from the adapter's final message: an agent's last response, or a command's standard output.",
          }),
        ),
        on_secret: Type.Optional(
          Type.Enum(["fail", "scrub"], {
            description:
              "Action if the artifact contains a secret: `fail` fails the attempt, `scrub` redacts the secret before the artifact is stored. Defaults to `fail`.",
          }),
        ),
        media_type: Type.Optional(
          Type.String({
            pattern: "^[a-z0-9.+-]+/[A-Za-z0-9.+-]+$",
            description: "Media type. Defaults to the one for the file's extension.",
          }),
        ),
      },
      strict,
    ),
  ],
  { description: "Output of the step: a name, or a map." },
);

export const InputSchema = Type.Union(
  [
    name(),
    Type.Object(
      {
        artifact: name(),
        from: Type.Optional(name("Step that produces the artifact. It becomes a dependency.")),
        as: Type.Optional(name("Name of the input in this step. Defaults to the artifact's name.")),
        optional: Type.Optional(Type.Boolean({ description: "Whether the step may run without it." })),
      },
      strict,
    ),
  ],
  { description: "Artifact of an upstream step: a name, or a map." },
);

export const PersonaSchema = Type.Object(
  {
    description: Type.Optional(Type.String({ description: "One-line description." })),
    extends: Type.Optional(name("Persona to inherit from. Defaults to the built-in persona of the same name.")),
    adapter: Type.Optional(AdapterValue),
    model: Type.Optional(Type.String({ minLength: 1, description: "Model, as named by the adapter." })),
    prompt: Type.Optional(projectPath("File that contains the system prompt.")),
    system_prompt: Type.Optional(Type.String({ description: "System prompt." })),
    command: Type.Optional(CommandValue),
    permissions: Type.Optional(PersonaPermissionsSchema),
    resources: Type.Optional(ResourcesSchema),
    env: Type.Optional(Env),
    secrets: Type.Optional(Secrets),
  },
  { ...strict, description: "Pre-configured execution environment, merged over the persona of the same name." },
);

const Reuse = Type.Union(
  [
    Type.Boolean(),
    Type.Object(
      {
        ignore: Type.Optional(
          Type.Array(Type.String({ minLength: 1 }), {
            description: "Globs of files ignored by git whose changes do not prevent reuse.",
          }),
        ),
      },
      strict,
    ),
  ],
  { description: "Whether to reuse the result of an earlier run whose inputs are unchanged. A map enables reuse." },
);

export const StepSchema = Type.Object(
  {
    id: name(),
    persona: name("Persona that executes the step."),
    task: Type.Optional(
      Type.String({
        description: "Task for the persona. `{{ inputs.NAME }}`, `{{ input }}`, `{{ run.id }}` and `{{ step.id }}` are filled at run time.",
      }),
    ),
    dependencies: Type.Optional(Type.Array(name(), { uniqueItems: true, description: "Ids of the steps that must pass first." })),
    inputs: Type.Optional(Type.Array(InputSchema, { description: "Artifacts of upstream steps that the step receives." })),
    artifacts: Type.Optional(Type.Array(ArtifactSchema, { description: "Outputs that the step produces." })),
    handover: Type.Optional(HandoverSchema),
    permissions: Type.Optional(PermissionsSchema),
    resources: Type.Optional(ResourcesSchema),
    env: Type.Optional(Env),
    secrets: Type.Optional(Secrets),
    adapter: Type.Optional(AdapterValue),
    changes: Type.Optional(
      Type.Enum(["required", "optional", "none"], {
        description:
          "Whether the step must (`required`), may (`optional`) or must not (`none`) change files. Defaults to `required` if an agent executes the step and it has neither artifacts nor contracts, otherwise to `optional`.",
      }),
    ),
    changeset: Type.Optional(
      Type.Object(
        {
          include: Type.Optional(
            Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), {
              description: "Globs of paths to keep as changes even if git ignores them.",
            }),
          ),
        },
        { ...strict, description: "Files that belong to the step's changeset." },
      ),
    ),
    workspace: Type.Optional(WorkspaceKind),
    sandbox: Type.Optional(
      Type.Enum(["off"], { description: "`off` runs the step without a sandbox, even if denied permissions cannot be enforced then." }),
    ),
    reuse: Type.Optional(Reuse),
    optional: Type.Optional(Type.Boolean({ description: "Whether the run may pass even if this step fails." })),
    labels: Type.Optional(Type.Record(Type.String(), Type.String(), { description: "Labels, shown in plans and reports." })),
  },
  { ...strict, description: "One unit of work, executed by a persona." },
);

const Steps = Type.Array(StepSchema, {
  minItems: 1,
  description: "Steps of the pipeline, in any order.",
});

const version = (description = "Version label, for example `v1`.") => Type.String({ minLength: 1, maxLength: 100, description });

const publication = (description: string) =>
  Type.Object(
    {
      artifact: name("Artifact to publish."),
      from: Type.Optional(name("Step that produces the artifact. Required if several steps do.")),
      optional: Type.Optional(Type.Boolean({ description: "Whether the run may pass even if publishing fails." })),
    },
    { ...strict, description },
  );

const Publish = Type.Array(
  Type.Union([
    Type.Object(
      {
        pr_comment: publication(
          "Comment on the pull request, in Markdown. Later runs update the comment of the same pipeline and artifact.",
        ),
      },
      strict,
    ),
    Type.Object(
      { pr_review: publication("Review of the pull request, as JSON (`schema/review.schema.json`). It comments and never approves.") },
      strict,
    ),
  ]),
  { description: "Artifacts to publish after all steps have passed. Wave publishes them itself, so no step needs a token." },
);

export const PipelineSchema = Type.Object(
  {
    name: name(),
    version: Type.Optional(version()),
    description: Type.Optional(Type.String({ description: "One-line description." })),
    steps: Steps,
    budget: Type.Optional(BudgetSchema),
    publish: Type.Optional(Publish),
  },
  { ...strict, description: "Named, versioned DAG of steps." },
);

export const PipelineReferenceSchema = Type.Union(
  [
    projectPath(),
    Type.Object(
      {
        versions: Type.Record(Type.String(), projectPath(), { minProperties: 1, description: "Pipeline files by version." }),
        active: version("Version that runs by default."),
      },
      strict,
    ),
  ],
  { description: "Pipeline file, or a map of versions with the active one." },
);

export const DefaultsSchema = Type.Object(
  {
    adapter: Type.Optional(AdapterValue),
    concurrency: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 256,
        description: "Maximum number of steps that run at the same time. Defaults to the number of processors, up to 8.",
      }),
    ),
    timeout: Type.Optional(duration("Timeout of one attempt. Defaults to 30m.")),
    workspace: Type.Optional(WorkspaceKind),
    reuse: Type.Optional(Reuse),
    contract: Type.Optional(
      Type.Object(
        {
          on_failure: contractCommon.on_failure,
          max_retries: contractCommon.max_retries,
          backoff_strategy: contractCommon.backoff_strategy,
          backoff_base: contractCommon.backoff_base,
          backoff_max: contractCommon.backoff_max,
          ...flatBreaker,
          circuit_breaker: contractCommon.circuit_breaker,
          timeout: Type.Optional(duration("Timeout of a contract's command. Defaults to 10m.")),
        },
        { ...strict, description: "Defaults for contracts." },
      ),
    ),
  },
  { ...strict, description: "Defaults for steps and contracts." },
);

export const StateSettingsSchema = Type.Object(
  { location: Type.Optional(projectPath("Directory of the state. Defaults to `.wave/state`.")) },
  { ...strict, description: "Storage of runs." },
);

/** The keys of a manifest other than its pipelines. */
const manifestCommon = {
  name: Type.Optional(name("Name of the pipeline. Only with bare `steps:`. Defaults to the name of the file.")),
  version: Type.Optional(version()),
  description: Type.Optional(Type.String()),
  personas: Type.Optional(
    Type.Record(Type.String(), Type.Union([projectPath(), PersonaSchema]), {
      description: "Personas by name: a definition, or the path of a file with one.",
    }),
  ),
  adapters: Type.Optional(
    Type.Object(
      Object.fromEntries(adapterNames.map((name) => [name, Type.Optional(AdapterSettingsSchema)])) as Record<
        (typeof adapterNames)[number],
        ReturnType<typeof optionalSettings>
      >,
      {
        ...strict,
        description: "Settings by adapter.",
      },
    ),
  ),
  defaults: Type.Optional(DefaultsSchema),
  env: Type.Optional(Env),
  secrets: Type.Optional(Secrets),
  sandbox: Type.Optional(SandboxSetting),
  state: Type.Optional(StateSettingsSchema),
  alerts: Type.Optional(AlertList),
};

function optionalSettings() {
  return Type.Optional(AdapterSettingsSchema);
}

export const ManifestSchema = Type.Object(
  {
    ...manifestCommon,
    pipeline: Type.Optional(PipelineSchema),
    steps: Type.Optional(Steps),
    budget: Type.Optional(BudgetSchema),
    publish: Type.Optional(Publish),
    pipelines: Type.Optional(Type.Record(Type.String(), PipelineReferenceSchema, { description: "Pipelines in separate files, by name." })),
  },
  { ...strict, description: "Wave manifest with `pipeline:`, bare `steps:` or `pipelines:`." },
);

/** A file under `pipelines:`. */
export const PipelineFileSchema = Type.Object({ pipeline: PipelineSchema }, { ...strict, description: "Pipeline in a separate file." });

export type PersonaDocument = Static<typeof PersonaSchema>;
