/** The evaluator of this process: one thread for all runs and commands. It is started by the first evaluation. */

import { contractTypesWith } from "../contracts/contract-types.ts";
import { defined } from "../core/defined.ts";
import type { EvaluationProblem, Evaluator } from "../core/evaluation.ts";
import { evaluationLimits } from "../core/limits.ts";
import type { ContractFile } from "../core/ports.ts";
import { err, ok } from "../core/result.ts";
import { type CallProblem, WorkerPool } from "../platform/worker-pool.ts";

const { timeMs, memoryBytes, inputBytes, schemaBytes } = evaluationLimits;

const pool = new WorkerPool({ script: new URL("./evaluation-worker.js", import.meta.url), timeMs, memoryBytes });

const sizes = new WeakMap<ReadonlyMap<string, ContractFile>, number>();

/** Evaluates in the evaluation thread, within `evaluationLimits`. */
export const evaluator: Evaluator = {
  warm: (evaluation) => pool.warm(evaluation),
  async evaluate(evaluation, input, { files, signal } = {}) {
    // V8's limits do not count buffers, and parsing cannot be interrupted: sizes are limited beforehand.
    const size = "bytes" in input ? input.bytes.length : "text" in input ? Buffer.byteLength(input.text) : 0;
    if (size > inputBytes) return err({ kind: "exceeded", limit: { what: "size", max: inputBytes, actual: size } });
    const filesSize = files === undefined ? 0 : sizeOf(files);
    if (filesSize > schemaBytes) return err({ kind: "exceeded", limit: { what: "size", max: schemaBytes, actual: filesSize } });
    const options = { ...defined({ shared: files, signal }) };
    const answer = await pool.call(evaluation, input, options);
    return answer.ok ? ok(answer.value as never) : err(problemOf(answer.error));
  },
};

/** The contract types of this process. */
export const contractTypes = contractTypesWith(evaluator);

function problemOf(problem: CallProblem): EvaluationProblem {
  if (problem.kind !== "exceeded") return problem;
  const { what } = problem;
  return { kind: "exceeded", limit: { what, max: what === "time" ? timeMs : memoryBytes } };
}

function sizeOf(files: ReadonlyMap<string, ContractFile>): number {
  const known = sizes.get(files) ?? [...files.values()].reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  sizes.set(files, known);
  return known;
}
