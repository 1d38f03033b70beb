/**
 * A plan as a JSON document. While `v` is 1, members are added, but not renamed or removed. Paths are relative to the project root. The
 * document contains neither values of variables nor prompts.
 */

import { endpointsOf } from "../../core/agent-endpoint.ts";
import { defined } from "../../core/defined.ts";
import type { Digest } from "../../core/digest.ts";
import { isUnchecked } from "../../core/empty-output.ts";
import { type EnforcementLevel, hidesGit, type SandboxSupport } from "../../core/enforcement.ts";
import { type Capability, unrestrictedOf } from "../../core/permissions.ts";
import type { ContractDefinition, RunBudget, Step, StepArtifact, StepInput } from "../../core/pipeline.ts";
import type { DependencyDirectory, Plan, PlannedBlock, PlannedStep, PlannedWork } from "../../core/plan.ts";
import { differingParts } from "./part-text.ts";
import { actionsOf, countActions, type PlanAction, type PlanActions, unenforcedRules } from "./render-plan-actions.ts";

export interface PlanDocument {
  readonly v: 1;
  readonly pipeline: { readonly name: string; readonly version?: string; readonly description?: string };
  /** The number of steps per action, for each command. */
  readonly summary: Readonly<Record<keyof PlanActions, Readonly<Record<PlanAction, number>>>> & { readonly steps: number };
  /** Ids of the steps of the longest chain. */
  readonly criticalPath: readonly string[];
  /** Limits on the run as a whole. */
  readonly budget?: RunBudget;
  /** The rules that the sandbox can enforce in this environment. */
  readonly sandbox: SandboxSupport;
  /** Whether steps can rename directories of the project in an overlay here. */
  readonly directoryRenames: boolean;
  /** Places of `sandbox.show` that do not exist here or are not open to every user. */
  readonly unshownPlaces: readonly string[];
  /** Dependencies before dependents. */
  readonly steps: readonly PlanStepDocument[];
  /** Ignored directories that count for reuse by their lockfile and the names and sizes in them. */
  readonly dependencyDirectories: readonly DependencyDirectory[];
  /** Permission rules that nothing enforces. `refused`: a run exits with 4 before a step starts. */
  readonly unenforced: readonly {
    readonly rule: string;
    readonly kind: "allow" | "deny";
    readonly refused: boolean;
    readonly steps: readonly string[];
  }[];
}

export interface PlanStepDocument {
  readonly id: string;
  readonly persona: string;
  readonly adapter?: { readonly name: string; readonly chosenBy: string; readonly version?: string; readonly endpoint?: string };
  readonly model?: string;
  readonly task?: string;
  readonly dependencies: readonly string[];
  readonly dependents: readonly string[];
  /** The length of the longest chain of dependents, this step included. */
  readonly weight: number;
  readonly inputs: readonly StepInput[];
  readonly artifacts: readonly StepArtifact[];
  readonly contracts: readonly PlanContractDocument[];
  /** Rules as written. Only rules that restrict have a `level`. */
  readonly permissions: readonly {
    readonly kind: "allow" | "deny";
    readonly rule: string;
    readonly source: "persona" | "step";
    readonly level?: EnforcementLevel;
  }[];
  /** Capabilities that no rule of the persona or the step names. */
  readonly unrestricted: readonly Capability[];
  /** Whether the `file_read` rules hide `.git` from the step here. */
  readonly gitHidden: boolean;
  /** Inherited deny rules that `permissions: { replace: true }` on the persona drops. */
  readonly droppedRules: readonly string[];
  /** Milliseconds and bytes. */
  readonly resources: Step["resources"];
  /** Whether an agent's step has neither an artifact nor a contract. */
  readonly unchecked: boolean;
  readonly changes: Step["changes"];
  /** Globs of ignored paths that are kept as changes. */
  readonly changesInclude: readonly string[];
  /** Names only. */
  readonly env: readonly string[];
  readonly secrets: readonly string[];
  readonly workspace: Step["workspace"];
  readonly sandbox: Step["sandbox"];
  /** Paths in `/etc` that the manifest adds to the sandbox. */
  readonly sandboxShow?: readonly string[];
  readonly reuse: boolean;
  /** Globs of ignored files that do not count for reuse. */
  readonly reuseIgnore: readonly string[];
  readonly optional: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly work: PlanWorkDocument;
  /** Why it cannot start now. */
  readonly blocked?: PlannedBlock;
  readonly actions: PlanActions;
}

/** A contract. Delays and time limits are in milliseconds. */
export interface PlanContractDocument {
  readonly name: string;
  readonly type: ContractDefinition["type"];
  readonly onFailure: ContractDefinition["onFailure"];
  readonly maxRetries: number;
  readonly schema?: string;
  readonly artifact?: string;
  readonly command?: readonly string[] | string;
  readonly timeoutMs?: number;
  /** Hosts that its command may reach. */
  readonly network?: readonly string[];
  /** Globs of files that are restored from the trusted source before the command runs. */
  readonly protect?: readonly string[];
}

/** Whether a cached result exists. A fingerprint is absent until it is known, `from` unless a cached result was found. */
export interface PlanWorkDocument {
  readonly kind: PlannedWork["kind"];
  readonly fingerprint?: { readonly work: Digest; readonly gate: Digest };
  readonly from?: { readonly run: string; readonly attempt: number; readonly finishedAt: string };
  /** With `new`: the parts that changed since the step passed last; empty if it never passed. With `recheck`: the contracts and files that differ. */
  readonly changed?: readonly string[];
  /** With `new`: the attempt at which the step passed last. */
  readonly since?: { readonly run: string; readonly attempt: number; readonly finishedAt: string };
  /** With `unknown`: the steps that must end first. */
  readonly after?: readonly string[];
}

/** The document of a plan. */
export function planDocument(plan: Plan): PlanDocument {
  const { name, version, description } = plan.pipeline;
  const { refused, exposed } = unenforcedRules(plan);
  return {
    v: 1,
    pipeline: { name, ...defined({ version, description }) },
    summary: {
      steps: plan.steps.length,
      run: countActions(plan, "run"),
      reuse: countActions(plan, "reuse"),
      resume: countActions(plan, "resume"),
    },
    criticalPath: plan.criticalPath,
    ...defined({ budget: plan.pipeline.budget }),
    sandbox: plan.sandbox,
    directoryRenames: plan.directoryRenames ?? true,
    unshownPlaces: plan.unshownPlaces ?? [],
    steps: plan.steps.map((planned) => stepDocument(planned, plan.sandbox)),
    dependencyDirectories: plan.dependencyDirectories ?? [],
    unenforced: [...[...refused].map((entry) => ruleDocument(entry, true)), ...[...exposed].map((entry) => ruleDocument(entry, false))],
  };
}

function stepDocument(planned: PlannedStep, sandbox: SandboxSupport): PlanStepDocument {
  const { step, dependents, weight, work } = planned;
  const { adapter } = step;
  const model = adapter?.model ?? step.persona.model;
  const endpoint = endpointsOf(step).join(", ");
  return {
    id: step.id,
    persona: step.persona.name,
    ...(adapter === undefined
      ? {}
      : {
          adapter: {
            name: adapter.name,
            chosenBy: adapter.chosenBy,
            ...defined({ version: adapter.version }),
            ...(endpoint === "" ? {} : { endpoint }),
          },
        }),
    ...defined({ model, task: step.task }),
    dependencies: step.dependencies,
    dependents,
    weight,
    inputs: step.inputs,
    artifacts: step.artifacts,
    contracts: step.contracts.map(contractDocument),
    permissions: permissionsOf(planned),
    unrestricted: unrestrictedOf(step.permissions),
    gitHidden: hidesGit(step, sandbox),
    droppedRules: step.permissions.layers.flatMap(({ dropped }) => dropped ?? []),
    resources: step.resources,
    unchecked: isUnchecked(step),
    changes: step.changes,
    changesInclude: step.changesInclude,
    env: Object.keys(step.env).sort(),
    secrets: step.secrets,
    workspace: step.workspace,
    sandbox: step.sandbox,
    ...defined({ sandboxShow: step.sandboxShow }),
    reuse: step.reuse,
    reuseIgnore: step.reuseIgnore,
    optional: step.optional,
    labels: step.labels,
    work: workDocument(work),
    ...defined({ blocked: planned.blocked }),
    actions: actionsOf(planned),
  };
}

/** The rules of a step as written, without duplicates. Rules that restrict have their level. */
export function permissionsOf({ step, enforcement }: PlannedStep): PlanStepDocument["permissions"] {
  const found = new Map<string, PlanStepDocument["permissions"][number]>();
  for (const { source, allow, deny } of step.permissions.layers) {
    for (const { text } of allow) add("allow", text, source);
    for (const { text } of deny) add("deny", text, source);
  }
  return [...found.values()];

  function add(kind: "allow" | "deny", rule: string, source: "persona" | "step"): void {
    const level = enforcement.find((entry) => entry.kind === kind && entry.rule === rule)?.level;
    const key = `${kind} ${rule}`;
    if (!found.has(key)) found.set(key, { kind, rule, source, ...defined({ level }) });
  }
}

function contractDocument(contract: ContractDefinition): PlanContractDocument {
  const { name, type, onFailure, maxRetries } = contract;
  const common = { name, type, onFailure, maxRetries };
  switch (contract.type) {
    case "json_schema":
      return { ...common, schema: contract.schema, artifact: contract.artifact };
    case "test_suite":
      return {
        ...common,
        command: contract.command,
        timeoutMs: contract.timeoutMs,
        network: contract.network,
        protect: contract.protect,
      };
  }
}

function workDocument(work: PlannedWork): PlanWorkDocument {
  if (work.kind === "unknown") return { kind: work.kind, after: work.after };
  const fingerprint = { work: work.fingerprint.work, gate: work.fingerprint.gate };
  if (work.kind === "new") {
    return { kind: work.kind, fingerprint, changed: work.changed, ...defined({ since: work.since }) };
  }
  const { run, attempt, finishedAt } = work.cached;
  const contracts = work.kind === "recheck" ? { changed: differingParts(work.fingerprint, work.cached.fingerprint) } : {};
  return { kind: work.kind, fingerprint, from: { run, attempt, finishedAt }, ...contracts };
}

function ruleDocument([key, steps]: readonly [string, readonly string[]], refused: boolean): PlanDocument["unenforced"][number] {
  return { rule: key.slice(key.indexOf(" ") + 1), kind: key.startsWith("allow ") ? "allow" : "deny", refused, steps };
}
