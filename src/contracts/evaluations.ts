/**
 * Every evaluation that runs in the evaluation thread, by name: the place to add a contract type, an expression language or a parser whose cost is not
 * linear in data from steps. Each loads its own libraries on first use.
 */
import type { Evaluation, Evaluations } from "../core/evaluation.ts";
import type { ContractFile } from "../core/ports.ts";

type Files = ReadonlyMap<string, ContractFile>;

/** Evaluates synchronously. `files` are those of the call's options; empty if it has none. */
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
