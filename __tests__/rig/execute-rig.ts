/** A whole execution in memory: every port has an implementation that the test steers and can look into. */

import type { Changeset } from "../../src/core/changeset.ts";
import { type Digest, digestOfValue } from "../../src/core/digest.ts";
import type { ArtifactRef, EventOf, EventType, FingerprintRef, WaveEvent } from "../../src/core/event.ts";
import type { RunBudget, Step } from "../../src/core/pipeline.ts";
import type { Plan } from "../../src/core/plan.ts";
import type { ContractContext, ContractOutcome, ContractType } from "../../src/core/ports.ts";
import { ok, type Result } from "../../src/core/result.ts";
import type { BreakerSample } from "../../src/core/state.ts";
import type {
  AttemptHooks,
  ExecuteContext,
  ExecuteOptions,
  ExecutionServices,
  PromptParts,
  RunHooks,
  RunInputs,
  RunOutcome,
} from "../../src/executor/context.ts";
import { executePlan } from "../../src/executor/execute-plan.ts";
import { type FakeClock, fakeClock } from "./fake-clock.ts";
import { type MemoryBlobs, memoryBlobs } from "./memory-blobs.ts";
import { type MemoryChanges, memoryChanges } from "./memory-changes.ts";
import { type MemoryJournal, memoryBreakers, memoryJournal } from "./memory-journal.ts";
import { type MemoryWorkspaces, memoryWorkspaces } from "./memory-workspaces.ts";
import { pipeline } from "./plan-fixtures.ts";
import { type Act, type ScriptedAdapter, scriptedAdapter } from "./scripted-adapter.ts";

/** Every member of the context, whatever its role. */
export type RigContext = Pick<ExecuteContext, "plan"> & RunInputs & ExecutionServices & RunHooks & AttemptHooks;

export interface ExecuteRigOptions {
  readonly script?: (step: string, nth: number) => Act;
  readonly verify?: (context: ContractContext) => ContractOutcome | Promise<ContractOutcome>;
  readonly options?: Partial<ExecuteOptions>;
  readonly clock?: FakeClock;
  readonly breakAt?: number;
  readonly samples?: readonly BreakerSample[];
  readonly weights?: Readonly<Record<string, number>>;
  /** What an attempt changes. */
  readonly changes?: (step: string, attempt: number) => Changeset;
  readonly undo?: Changeset;
  readonly budget?: RunBudget;
  readonly context?: Partial<Omit<RigContext, "options">>;
}

export interface ExecuteRig {
  readonly context: ExecuteContext;
  readonly adapter: ScriptedAdapter;
  readonly journal: MemoryJournal;
  readonly blobs: MemoryBlobs;
  readonly workspaces: MemoryWorkspaces;
  readonly changes: MemoryChanges;
  readonly clock: FakeClock;
  readonly breakers: { asked: number };
  readonly prompts: readonly PromptParts[];
  readonly published: readonly WaveEvent[];
  run(): Promise<Result<RunOutcome>>;
  cancel(by: string): void;
  /** Resolves once a step's end was published. */
  finished(step: string): Promise<void>;
  /** Events of one type. */
  of<T extends EventType>(type: T): readonly EventOf<T>[];
  /** Step → how it ended. */
  endings(): Record<string, string>;
}

export const pass: ContractOutcome = { verdict: "pass", violations: [] };
export const fail: ContractOutcome = {
  verdict: "fail",
  violations: [{ message: "wrong", location: { file: "out.json", line: 3, column: 5 } }],
};
export const error: ContractOutcome = { verdict: "error", violations: [{ message: "judge away" }] };

/** A rig around these steps. Everything passes until the options say otherwise. */
export function executeRig(steps: readonly Step[], options: ExecuteRigOptions = {}): ExecuteRig {
  const clock = options.clock ?? fakeClock();
  const journal = memoryJournal(clock, options.breakAt === undefined ? {} : { breakAt: options.breakAt });
  const breakers = memoryBreakers(journal, options.samples);
  const blobs = memoryBlobs();
  const workspaces = memoryWorkspaces(options.changes);
  const changes = memoryChanges(options.undo);
  const adapter = scriptedAdapter(options.script ?? (() => "pass"));
  const controller = new AbortController();
  const published: WaveEvent[] = [];
  const watchers = new Map<string, () => void>();
  const prompts: PromptParts[] = [];
  const parts: RigContext = {
    plan: planOf(steps, options.weights ?? {}, options.budget),
    runId: "run1",
    journal,
    notifyReporters(events) {
      published.push(...events);
      for (const event of events) if (event.type === "step-finished") watchers.get(event.step)?.();
    },
    state: breakers,
    blobs,
    workspaces,
    adapters: new Map([["command", adapter]]),
    contractTypes: contractTypesOf(options.verify ?? (() => pass)),
    contractFiles: new Map(),
    clock,
    random: () => 1,
    signal: controller.signal,
    prior: new Map(),
    changes,
    fingerprintOf,
    secretsOf: (step) => Object.fromEntries(step.secrets.map((name) => [name, `value of ${name}`])),
    assemblePrompt: (prompt) => {
      prompts.push(prompt);
      return `do ${prompt.step.id}`;
    },
    openLog: (step, attempt) => ({
      write: () => undefined,
      tail: () => `tail of ${step.id}.${attempt}`,
      close: async () => ok({ path: `/logs/${step.id}.${attempt}.log`, size: 1 }),
    }),
    collect: async ({ step }) => ok(await artifactsOf(blobs, step)),
    projectNow: async () => ({ tree: digestOfValue("tree after"), ignoredChanged: false }),
    ...options.context,
    options: { concurrency: 2, onFailure: "finish", apply: true, resetCircuit: false, ...options.options },
  };
  const context: ExecuteContext = { plan: parts.plan, run: parts, services: parts, hooks: parts, attempts: parts };
  return {
    context,
    adapter,
    journal,
    blobs,
    workspaces,
    changes,
    clock,
    breakers,
    prompts,
    published,
    run: () => executePlan(context),
    cancel: (by) => controller.abort(by),
    finished: (id) => new Promise((resolve) => watchers.set(id, resolve)),
    of: <T extends EventType>(type: T) => journal.events.filter((event): event is EventOf<T> => event.type === type),
    endings: () =>
      Object.fromEntries(journal.events.flatMap((event) => (event.type === "step-finished" ? [[event.step, event.status]] : []))),
  };
}

/** Puts what a step leaves into blobs: one text for each declared artifact. */
export async function artifactsOf(blobs: MemoryBlobs, step: Step): Promise<ArtifactRef[]> {
  const artifacts: ArtifactRef[] = [];
  for (const { name } of step.artifacts) {
    const stored = await blobs.put(Buffer.from(`${name} of ${step.id}`));
    if (stored.ok) artifacts.push({ name, ...stored.value, mediaType: "text/plain", source: `output/${name}` });
  }
  return artifacts;
}

/** The fingerprint that the rig gives a step. */
export function fingerprintOf(step: Step, inputs: Readonly<Record<string, string>>, changes?: Digest): FingerprintRef {
  return {
    work: digestOfValue({ step: step.id, inputs, ...(changes === undefined ? {} : { changes }) }),
    gate: digestOfValue(step.contracts.map(({ name }) => name)),
    parts: {},
  };
}

function contractTypesOf(
  verify: (context: ContractContext) => ContractOutcome | Promise<ContractOutcome>,
): ReadonlyMap<string, ContractType> {
  const types = ["json_schema", "test_suite"] as const;
  return new Map(types.map((type) => [type, { type, check: async () => [], verify: async (context) => verify(context) }]));
}

/** A plan in the order given, which has to be one in which dependencies come first. */
function planOf(steps: readonly Step[], weights: Readonly<Record<string, number>>, budget?: RunBudget): Plan {
  const dependents = new Map<string, string[]>(steps.map((step) => [step.id, []]));
  for (const step of steps) for (const id of step.dependencies) dependents.get(id)?.push(step.id);
  const planned = steps.map((step) => ({
    step,
    dependents: dependents.get(step.id) ?? [],
    weight: weights[step.id] ?? 1,
    work: { kind: "unknown", after: [] } as const,
    enforcement: [],
  }));
  const limits = budget === undefined ? {} : { budget };
  return { pipeline: { ...pipeline(steps), ...limits }, steps: planned, sandbox: { available: true, network: true }, criticalPath: [] };
}
