/**
 * All evaluations that run in the evaluation thread, by name. Add contract types, expression languages and parsers here if
 * their cost is not linear in the size of step data. Each loads its libraries on first use.
 */
import type { Evaluation, Evaluations } from "../core/evaluation.ts";
import type { ContractFile } from "../core/ports.ts";

type Files = ReadonlyMap<string, ContractFile>;

/** Evaluates synchronously. `files` comes from the call's options; undefined if it has none. */
export type Evaluate<E extends Evaluation> = (input: Evaluations[E]["input"], files: Files | undefined) => Evaluations[E]["answer"];

export const evaluations: { readonly [E in Evaluation]: () => Promise<Evaluate<E>> } = {
  "check-schema": async () => {
    const { schemaProblems } = await import("./json-schema/engine.ts");
    return ({ schema }, files = new Map()) => schemaProblems(schema, files);
  },
  "evaluate-schema": async () => {
    const { evaluate } = await import("./json-schema/engine.ts");
    return ({ schema, bytes, artifact }, files = new Map()) => evaluate(schema, files, bytes, artifact);
  },
  "compare-json-path": async () => {
    const { compareJsonPath } = await import("./json-path.ts");
    return compareJsonPath;
  },
};
