/** Builds a pipeline: reads and links its steps, and applies personas and defaults. */
import { defined } from "../../core/defined.ts";
import type { DocumentNode } from "../../core/document.ts";
import { isUnchecked } from "../../core/empty-output.ts";
import { defaultLimits } from "../../core/limits.ts";
import type { Pipeline, Step, StepInput } from "../../core/pipeline.ts";
import { chooseAdapter } from "./adapter-choice.ts";
import { builtInRules, readRules } from "./contract-rules.ts";
import { type ReadHandover, readHandover } from "./contracts.ts";
import type { Findings } from "./findings.ts";
import { readPermissions, reportUnenforced } from "./permission-rules.ts";
import type { PersonaDirectory, ReadPersona } from "./personas.ts";
import type { PipelineSource } from "./pipeline-sources.ts";
import { indexProducers, producerOf } from "./producers.ts";
import { readPublications } from "./publications.ts";
import { asBoolean, asEnv, asLocated, asNumber, asOneOf, asText, entries, items, member, textItems } from "./read-node.ts";
import { readBudget, readDuration, readResources } from "./read-quantity.ts";
import { readSandbox } from "./sandbox.ts";
import type { Scope } from "./scope.ts";
import { linkSteps, readStepInputs, type UnlinkedStep, type WrittenStep } from "./step-graph.ts";
import { checkTask } from "./tasks.ts";

/** Settings of the manifest for all steps. */
export interface ProjectDefaults {
  readonly node: DocumentNode | undefined;
  readonly rules: typeof builtInRules;
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly sandbox: ReturnType<typeof readSandbox>;
}

/** Reads `defaults`, `env`, `secrets` and `sandbox` of a manifest. */
export function readDefaults({ manifest, findings }: Scope): ProjectDefaults {
  const node = member(manifest, "defaults");
  return {
    node,
    rules: readRules(member(node, "contract"), builtInRules, findings),
    timeoutMs: readDuration(member(node, "timeout"), findings) ?? defaultLimits.timeoutMs,
    env: asEnv(member(manifest, "env")),
    secrets: textItems(member(manifest, "secrets")).map(({ text }) => text),
    sandbox: readSandbox(member(manifest, "sandbox"), findings),
  };
}

type Draft = UnlinkedStep & ReadHandover & { readonly read: ReadPersona | undefined };

/** Reads a pipeline. Invalid steps are reported and left out. */
export function readPipeline(source: PipelineSource, defaults: ProjectDefaults, personas: PersonaDirectory, scope: Scope): Pipeline {
  const { findings } = scope;
  const drafts = items(member(source.node, "steps")).map((node): Draft => {
    const persona = asLocated(member(node, "persona"));
    return {
      node,
      id: asLocated(member(node, "id")) ?? { text: "", origin: node.origin },
      inputs: readStepInputs(node, findings),
      read: persona === undefined ? undefined : personas.find(persona),
      ...readHandover(node, defaults.rules, scope),
    };
  });
  const linked = linkSteps(
    drafts.filter((draft) => draft.id.text !== ""),
    findings,
  );
  const index = indexProducers(linked, findings);
  const steps = drafts.flatMap((draft) => {
    const step = linked.get(draft.id.text);
    const inputs = step === undefined ? [] : inputsOf(step, (input) => producerOf(index, step, input));
    const task = asLocated(member(draft.node, "task"));
    if (task !== undefined)
      checkTask(
        task,
        draft.inputs.map(({ name }) => name.text),
        scope,
      );
    return draft.read === undefined
      ? []
      : [makeStep(draft, draft.read, { inputs, dependencies: [...(step?.edges.keys() ?? [])] }, defaults, scope)];
  });
  const { name, version, description, origin } = source;
  const concurrency = asNumber(member(defaults.node, "concurrency"));
  return {
    name,
    ...defined({ version, description }),
    steps,
    ...defined({ concurrency, budget: readBudget(member(source.node, "budget"), findings) }),
    publish: readPublications(member(source.node, "publish"), steps, findings),
    origin,
  };
}

function inputsOf(step: WrittenStep, from: (input: WrittenStep["inputs"][number]) => string | undefined): StepInput[] {
  return step.inputs.map((input) => ({
    name: input.name.text,
    artifact: input.artifact.text,
    ...defined({ from: from(input) }),
    optional: input.optional,
  }));
}

function makeStep(
  draft: Draft,
  read: ReadPersona,
  graph: Pick<Step, "inputs" | "dependencies">,
  defaults: ProjectDefaults,
  scope: Scope,
): Step {
  const { node, id, artifacts, contracts } = draft;
  const adapter = chooseAdapter(node, read, scope);
  const workspace = readWorkspace(member(node, "workspace") ?? member(defaults.node, "workspace"));
  const unchecked = isUnchecked({ artifacts, contracts, ...defined({ adapter }) });
  if (unchecked) {
    scope.findings.warning("W404", `step \`${id.text}\` is unchecked: it has neither artifacts nor contracts`, id.origin, {
      hint: "add an artifact, or a contract such as `test_suite`",
    });
  }
  if (workspace === "shared") reportProtection(contracts, scope.findings);
  reportUnenforced([...read.denied, ...textItems(member(member(node, "permissions"), "deny"))], adapter?.name, scope.findings);
  return {
    id: id.text,
    origin: id.origin,
    persona: read.persona,
    ...defined({ adapter, task: asText(member(node, "task")) }),
    ...graph,
    artifacts,
    contracts,
    permissions: permissionsOf(node, read, scope.findings),
    resources: {
      timeoutMs: defaults.timeoutMs,
      diskLimitBytes: defaultLimits.diskLimitBytes,
      ...read.resources,
      ...readResources(member(node, "resources"), scope.findings),
    },
    changes: readChanges(node, { unchecked, workspace }, scope.findings),
    changesInclude: textItems(member(member(node, "changeset"), "include")).map(({ text }) => text),
    env: { ...defaults.env, ...read.env, ...asEnv(member(node, "env")) },
    secrets: [...new Set([...defaults.secrets, ...read.secrets, ...textItems(member(node, "secrets")).map(({ text }) => text)])],
    workspace,
    sandbox: asText(member(node, "sandbox")) === "off" ? "off" : defaults.sandbox.sandbox,
    ...(defaults.sandbox.sandboxShow.length === 0 ? {} : { sandboxShow: defaults.sandbox.sandboxShow }),
    ...readReuse(member(node, "reuse") ?? member(defaults.node, "reuse")),
    optional: asBoolean(member(node, "optional")) ?? false,
    labels: Object.fromEntries(
      entries(member(node, "labels")).flatMap(({ key, node: value }) => (asText(value) === undefined ? [] : [[key, asText(value) ?? ""]])),
    ),
  };
}

function readWorkspace(node: DocumentNode | undefined): Step["workspace"] {
  if (asText(node) === "shared") return "shared";
  return asText(member(node, "provider")) === "copy" ? "copy" : "default";
}

/** A map enables reuse; its `ignore` lists ignored files that do not prevent it. */
function readReuse(node: DocumentNode | undefined): Pick<Step, "reuse" | "reuseIgnore"> {
  return {
    reuse: node?.kind === "map" || (asBoolean(node) ?? false),
    reuseIgnore: textItems(member(node, "ignore")).map(({ text }) => text),
  };
}

/** In a shared workspace, restoring files would overwrite the project's files. */
function reportProtection(contracts: Step["contracts"], findings: Scope["findings"]): void {
  for (const contract of contracts) {
    if (contract.type !== "test_suite" || contract.protect.length === 0) continue;
    findings.error("W206", "`protect` restores no files in a shared workspace", contract.origin, {
      hint: "remove `protect`, or `workspace: shared`",
    });
  }
}

/** `changes` with its default. Changes in a shared workspace are unknown. */
function readChanges(
  node: DocumentNode,
  { unchecked, workspace }: { readonly unchecked: boolean; readonly workspace: Step["workspace"] },
  findings: Findings,
): Step["changes"] {
  const written = member(node, "changes");
  const changes = asOneOf(written, ["required", "optional", "none"] as const);
  if (written !== undefined && workspace === "shared" && changes !== "optional") {
    findings.error("W206", "`changes` cannot be checked in a shared workspace", written.origin, {
      hint: "remove `changes`, or `workspace: shared`",
    });
  }
  return changes ?? (unchecked && workspace !== "shared" ? "required" : "optional");
}

function permissionsOf(node: DocumentNode, read: ReadPersona, findings: Findings): Step["permissions"] {
  const own = readPermissions(member(node, "permissions"), "step", findings, read.permissions);
  return { layers: [read.permissions, own].flatMap((layer) => layer ?? []) };
}
