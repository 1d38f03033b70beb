/**
 * A pipeline after validation: every reference resolved, every default applied, every quantity a number. Durations are
 * milliseconds, sizes are bytes, paths are relative to the project root with forward slashes.
 */
import type { Digest } from "./digest.ts";
import type { Origin } from "./document.ts";
import type { AdapterName } from "./names.ts";
import type { StepPermissions } from "./permissions.ts";
import type { Price } from "./price.ts";

export interface Pipeline {
  readonly name: string;
  readonly version?: string;
  readonly description?: string;
  /** In the order of the manifest. */
  readonly steps: readonly Step[];
  /** Steps that may run at once. Undefined if the manifest does not set it. */
  readonly concurrency?: number;
  /** Limits on a run as a whole. */
  readonly budget?: RunBudget;
  /** Publications after all steps have passed, in the order of the manifest. */
  readonly publish: readonly Publication[];
  readonly origin: Origin;
}

/** Limits on all attempts of a run together. */
export interface RunBudget {
  readonly timeoutMs?: number;
  readonly maxTurns?: number;
  readonly maxTokens?: number;
  readonly maxCostUsd?: number;
}

export type PublicationKind = "pr_comment" | "pr_review";

/** An artifact to publish. */
export interface Publication {
  readonly kind: PublicationKind;
  readonly artifact: string;
  /** The step that produces it. */
  readonly from: string;
  readonly optional: boolean;
  readonly origin: Origin;
}

export interface Step {
  readonly id: string;
  readonly origin: Origin;
  readonly persona: Persona;
  /** Undefined if neither flag, step, persona nor defaults set one. Such a step cannot run. */
  readonly adapter?: AdapterChoice;
  readonly task?: string;
  /** Edges of the graph: `dependencies` and the `from` of inputs, each once, in order of appearance. */
  readonly dependencies: readonly string[];
  readonly inputs: readonly StepInput[];
  readonly artifacts: readonly StepArtifact[];
  readonly contracts: readonly ContractDefinition[];
  readonly permissions: StepPermissions;
  readonly resources: Resources;
  readonly env: Readonly<Record<string, string>>;
  /** Names only; their values are not part of the pipeline. */
  readonly secrets: readonly string[];
  /** Whether the step must, may or must not leave a changeset. */
  readonly changes: "required" | "optional" | "none";
  /** Globs of ignored paths that are collected as changes. */
  readonly changesInclude: readonly string[];
  /**
   * `shared`: in the project itself, without other steps. `copy`: a copy of the project. `default`: an overlay if
   * possible, else a copy.
   */
  readonly workspace: "default" | "shared" | "copy";
  readonly sandbox: "on" | "off";
  /** Absolute paths in `/etc` that the sandbox shows in addition to its defaults. Defaults to none. */
  readonly sandboxShow?: readonly string[];
  readonly reuse: boolean;
  /** Globs of ignored files that do not affect the reuse of results. */
  readonly reuseIgnore: readonly string[];
  readonly optional: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Persona {
  readonly name: string;
  readonly description?: string;
  readonly model?: string;
  readonly systemPrompt: string;
  /** The place of its definition; undefined for built-in personas. */
  readonly origin?: Origin;
  /** Covers prompt, model, command and permissions. */
  readonly digest: Digest;
}

export interface AdapterChoice {
  readonly name: AdapterName;
  readonly chosenBy: "flag" | "step" | "persona" | "defaults" | "environment";
  /** The persona's own command, else the adapter's. */
  readonly command?: readonly string[] | string;
  readonly version?: string;
  readonly baseUrl?: string;
  readonly model?: string;
  /** For `replay`: the recording, relative to the project root. */
  readonly recordings?: string;
  /** The price of the model in the manifest. */
  readonly price?: Price;
}

export interface StepInput {
  /** The input's name in the step. */
  readonly name: string;
  readonly artifact: string;
  /** The step that produces it; undefined for an optional input without an upstream producer. */
  readonly from?: string;
  readonly optional: boolean;
}

export interface StepArtifact {
  readonly name: string;
  /** A glob in the workspace. */
  readonly path?: string;
  readonly optional: boolean;
  readonly mediaType?: string;
  /** Collected from files (default; see `acceptsMessage`) or from the final message. */
  readonly source?: "message";
  /** A secret in it is replaced before it is stored; otherwise it fails the attempt. */
  readonly scrub?: boolean;
  /** Declared by a `json_schema` contract on a step that declares no artifacts. */
  readonly implied: boolean;
}

export interface Resources {
  readonly timeoutMs: number;
  readonly memoryLimitBytes?: number;
  /** Bytes that an attempt may write to its workspace, output and temporary files. */
  readonly diskLimitBytes: number;
  /** Limits on the use of a model: turns, tokens and US dollars. */
  readonly maxTurns?: number;
  readonly maxTokens?: number;
  readonly maxCostUsd?: number;
}

export interface Backoff {
  readonly strategy: "none" | "constant" | "linear" | "exponential";
  readonly baseMs: number;
  readonly maxMs: number;
}

export interface CircuitBreaker {
  readonly failureThreshold: number;
  readonly windowSize: number;
  readonly minimumAttempts: number;
  readonly resetTimeoutMs: number;
}

interface ContractCommon {
  /** Unique in its step. */
  readonly name: string;
  readonly origin: Origin;
  readonly onFailure: "halt" | "retry" | "warn";
  readonly maxRetries: number;
  readonly backoff: Backoff;
  readonly breaker?: CircuitBreaker;
}

export interface JsonSchemaContract extends ContractCommon {
  readonly type: "json_schema";
  /** Path of the schema file. */
  readonly schema: string;
  readonly artifact: string;
}

export interface TestSuiteContract extends ContractCommon {
  readonly type: "test_suite";
  readonly command: readonly string[] | string;
  readonly timeoutMs: number;
  /** Host patterns that the command may reach. */
  readonly network: readonly string[];
  /** Globs of project files that are restored from the trusted source before the command runs. */
  readonly protect: readonly string[];
}

export type ContractDefinition = JsonSchemaContract | TestSuiteContract;
