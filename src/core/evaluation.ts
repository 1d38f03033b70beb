/**
 * Port for evaluations whose cost can grow faster than their input, and whose input comes from steps or untrusted
 * projects: JSON Schema and JSONPath. An evaluator limits their time, memory and input size.
 */
import type { ExceededLimit } from "./exceeded-limit.ts";
import type { JsonValue } from "./json.ts";
import type { ContractFile, ContractOutcome, ContractProblem } from "./ports.ts";
import type { Result } from "./result.ts";

/** Name → the input and the answer of an evaluation. Both are plain data, because they cross a thread boundary. */
export interface Evaluations {
  /** Problems of a schema file and of all files that it refers to; empty if it can be evaluated. */
  readonly "check-schema": { readonly input: { readonly schema: string }; readonly answer: readonly ContractProblem[] };
  /** `artifact` is the name of the bytes in violations. */
  readonly "evaluate-schema": {
    readonly input: { readonly schema: string; readonly bytes: Uint8Array; readonly artifact: string };
    readonly answer: ContractOutcome;
  };
  readonly "compare-json-path": {
    readonly input: { readonly text: string; readonly path: string; readonly expected: JsonValue };
    readonly answer: JsonPathComparison;
  };
}

export type Evaluation = keyof Evaluations;

/** `actual` is undefined if the path selects nothing; a long value is shortened to text. */
export type JsonPathComparison =
  | { readonly kind: "equal" }
  | { readonly kind: "not-json" }
  | { readonly kind: "different"; readonly actual?: JsonValue };

/** Why there is no answer. `broken`: the evaluator itself failed, for the reason in `detail`. */
export type EvaluationProblem =
  | { readonly kind: "exceeded"; readonly limit: ExceededLimit }
  | { readonly kind: "cancelled" }
  | { readonly kind: "broken"; readonly detail: string };

export interface EvaluationOptions {
  /** Files that the input refers to. The same map object is transferred once, not with every call. */
  readonly files?: ReadonlyMap<string, ContractFile>;
  readonly signal?: AbortSignal;
}

/** Evaluates untrusted input. Implementations never throw because of the input. */
export interface Evaluator {
  /** Prepares for an evaluation that is likely to follow; returns at once. */
  warm(evaluation: Evaluation): void;
  evaluate<E extends Evaluation>(
    evaluation: E,
    input: Evaluations[E]["input"],
    options?: EvaluationOptions,
  ): Promise<Result<Evaluations[E]["answer"], EvaluationProblem>>;
}
