/**
 * The manifest's vocabulary, written once. The TypeScript types below are inferred from these schemas, `schema/*.json` is
 * printed from them, and the validator in `validate/` is compiled from them; so the three cannot disagree.
 *
 * This module is for types and for the generator: nothing that runs in a bundle imports its values.
 */
import { type Static, Type } from "typebox";
import { alertReasons } from "../../core/alert.ts";
import { adapterNames } from "../../core/names.ts";
import { AdapterSettingsSchema } from "./adapters.ts";
import { ContractSchema, contractCommon, flatBreaker } from "./contracts.ts";
import { BudgetSchema, ResourcesSchema } from "./limits.ts";
import { AdapterName, Command, duration, Env, name, PermissionRule, projectPath, Secrets, strict } from "./primitives.ts";
import { SandboxSetting, WorkspaceKind } from "./sandbox.ts";

export const PermissionsSchema = Type.Object(
  {
    allow: Type.Optional(Type.Array(PermissionRule, { description: "What is allowed. A capability with no allow rule is unrestricted." })),
    deny: Type.Optional(Type.Array(PermissionRule, { description: "What is denied, whatever is allowed." })),
  },
  { ...strict, description: "What the step may read, write, reach and run. The step and its persona both have to allow it." },
);

/** A persona's rules are merged over those of the persona of the same name. */
const PersonaPermissionsSchema = Type.Object(
  {
    ...PermissionsSchema.properties,
    replace: Type.Optional(
      Type.Boolean({
        description: "Drop the rules of the persona that this one overrides or extends. By default its `deny` rules are kept.",
      }),
    ),
  },
  { ...strict, description: "What steps of this persona may read, write, reach and run." },
);

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
        path: Type.Optional(
          Type.String({ minLength: 1, maxLength: 4096, description: "Where it lies in the workspace; a glob that matches one file." }),
        ),
        optional: Type.Optional(Type.Boolean({ description: "The step may pass without it." })),
        source: Type.Optional(
          Type.Enum(["message"], {
            description: "The adapter's final message is the artifact: an agent's last answer, or a command's standard output.",
          }),
        ),
        on_secret: Type.Optional(
          Type.Enum(["fail", "scrub"], {
            description: "What a secret in it does: fail the attempt (default), or be replaced before the artifact is stored.",
          }),
        ),
        media_type: Type.Optional(
          Type.String({ pattern: "^[a-z0-9.+-]+/[A-Za-z0-9.+-]+$", description: "Its media type (default: by the file's ending)." }),
        ),
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
    extends: Type.Optional(name("The persona that this one starts from. Defaults to the built-in persona of the same name.")),
    adapter: Type.Optional(AdapterName),
    model: Type.Optional(Type.String({ minLength: 1, description: "The model, by the adapter's own name for it." })),
    prompt: Type.Optional(projectPath("A file with the system prompt.")),
    system_prompt: Type.Optional(Type.String({ description: "The system prompt itself." })),
    command: Type.Optional(Command),
    permissions: Type.Optional(PersonaPermissionsSchema),
    resources: Type.Optional(ResourcesSchema),
    env: Type.Optional(Env),
    secrets: Type.Optional(Secrets),
  },
  { ...strict, description: "A pre-configured execution environment, merged over the persona of the same name." },
);

const Reuse = Type.Union(
  [
    Type.Boolean(),
    Type.Object(
      {
        ignore: Type.Optional(
          Type.Array(Type.String({ minLength: 1 }), {
            description: "Globs of ignored files that do not decide whether a result is reused.",
          }),
        ),
      },
      strict,
    ),
  ],
  { description: "Reuse the result of an earlier run whose inputs are unchanged. A map turns reuse on." },
);

export const StepSchema = Type.Object(
  {
    id: name(),
    persona: name("Who does the work."),
    task: Type.Optional(
      Type.String({
        description: "What is to be done. `{{ inputs.NAME }}`, `{{ input }}`, `{{ run.id }}` and `{{ step.id }}` are filled at run time.",
      }),
    ),
    dependencies: Type.Optional(Type.Array(name(), { uniqueItems: true, description: "Steps that have to pass first." })),
    inputs: Type.Optional(Type.Array(InputSchema)),
    artifacts: Type.Optional(Type.Array(ArtifactSchema)),
    handover: Type.Optional(HandoverSchema),
    permissions: Type.Optional(PermissionsSchema),
    resources: Type.Optional(ResourcesSchema),
    env: Type.Optional(Env),
    secrets: Type.Optional(Secrets),
    adapter: Type.Optional(AdapterName),
    changes: Type.Optional(
      Type.Enum(["required", "optional", "none"], {
        description:
          "Whether the step must, may or must not change files. Defaults to `required` for an agent's step with neither artifact nor contract, else to `optional`.",
      }),
    ),
    changeset: Type.Optional(
      Type.Object(
        {
          include: Type.Optional(
            Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), {
              description: "Globs of paths that are kept as changes although git ignores them.",
            }),
          ),
        },
        { ...strict, description: "What of the files that the step leaves is kept." },
      ),
    ),
    workspace: Type.Optional(WorkspaceKind),
    sandbox: Type.Optional(
      Type.Enum(["off"], { description: "Runs without the fence around its child, also where denied permissions are then not enforced." }),
    ),
    reuse: Type.Optional(Reuse),
    optional: Type.Optional(Type.Boolean({ description: "The run may pass although this step fails." })),
    labels: Type.Optional(Type.Record(Type.String(), Type.String(), { description: "Free labels, shown in plans and reports." })),
  },
  { ...strict, description: "One unit of work." },
);

const Steps = Type.Array(StepSchema, { minItems: 1, description: "The steps. Their order does not matter." });

const version = (description = "A label such as `v1`.") => Type.String({ minLength: 1, maxLength: 100, description });

const publication = (description: string) =>
  Type.Object(
    {
      artifact: name("The artifact that is published."),
      from: Type.Optional(name("The step that makes it; needed where several do.")),
      optional: Type.Optional(Type.Boolean({ description: "The run may pass although it could not be published." })),
    },
    { ...strict, description },
  );

const Publish = Type.Array(
  Type.Union([
    Type.Object(
      { pr_comment: publication("A comment on the pull request, in Markdown; one a pipeline and artifact, kept up to date.") },
      strict,
    ),
    Type.Object(
      { pr_review: publication("A review of the pull request, as JSON: `schema/review.schema.json`. It approves nothing.") },
      strict,
    ),
  ]),
  { description: "What is published when all steps have passed. Wave does it: no step holds a token." },
);

export const PipelineSchema = Type.Object(
  {
    name: name(),
    version: Type.Optional(version()),
    description: Type.Optional(Type.String({ description: "One line for people." })),
    steps: Steps,
    budget: Type.Optional(BudgetSchema),
    publish: Type.Optional(Publish),
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

export const DefaultsSchema = Type.Object(
  {
    adapter: Type.Optional(AdapterName),
    concurrency: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 256,
        description: "How many steps may run at once (default: the number of processors, at most 8).",
      }),
    ),
    timeout: Type.Optional(duration()),
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

const variable = (description: string) => Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$", description });

const Alerts = Type.Array(
  Type.Object(
    {
      name: name("What it is called in events and reports."),
      url: Type.Optional(
        Type.String({ pattern: "^https?://", description: "The webhook. An address that is a secret goes by `url_from`." }),
      ),
      url_from: Type.Optional(variable("The environment variable that holds the webhook's address; it is scrubbed as a secret is.")),
      format: Type.Optional(
        Type.Enum(["cloudevents", "slack"], {
          description: "The body: a CloudEvents 1.0 event in JSON (default), or a message for Slack.",
        }),
      ),
      secret: Type.Optional(variable("The environment variable that holds the key by which bodies are signed.")),
      on: Type.Optional(
        Type.Array(Type.Enum([...alertReasons]), {
          minItems: 1,
          description: "What is announced (default: everything).",
        }),
      ),
    },
    { ...strict, description: "A webhook that is told what goes wrong." },
  ),
  { description: "Where contract failures, timeouts, open circuits, failed and recovered runs are announced." },
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
    Type.Object(
      Object.fromEntries(adapterNames.map((name) => [name, Type.Optional(AdapterSettingsSchema)])) as Record<
        (typeof adapterNames)[number],
        ReturnType<typeof optionalSettings>
      >,
      {
        ...strict,
        description: "Adapter → its settings.",
      },
    ),
  ),
  defaults: Type.Optional(DefaultsSchema),
  env: Type.Optional(Env),
  secrets: Type.Optional(Secrets),
  sandbox: Type.Optional(SandboxSetting),
  state: Type.Optional(StateSettingsSchema),
  alerts: Type.Optional(Alerts),
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
    pipelines: Type.Optional(Type.Record(Type.String(), PipelineReferenceSchema, { description: "Pipelines in files of their own." })),
  },
  { ...strict, description: "A wave manifest: `pipeline:`, bare `steps:`, or `pipelines:`." },
);

/** A file under `pipelines:`. */
export const PipelineFileSchema = Type.Object({ pipeline: PipelineSchema }, { ...strict, description: "A pipeline in a file of its own." });

export type PersonaDocument = Static<typeof PersonaSchema>;
