/** An evaluator without a thread and without limits, and the contract types with it: unit tests evaluate in the thread that calls. */
import { contractTypesWith } from "../../src/contracts/contract-types.ts";
import { evaluations } from "../../src/contracts/evaluations.ts";
import { jsonSchemaContractWith } from "../../src/contracts/json-schema/json-schema.ts";
import type { Evaluator } from "../../src/core/evaluation.ts";
import { ok } from "../../src/core/result.ts";

export const callingThread: Evaluator = {
  warm: () => {},
  async evaluate(evaluation, input, { files } = {}) {
    const work = (await evaluations[evaluation]()) as (input: unknown, files: unknown) => never;
    return ok(work(input, files));
  },
};

export const contractTypes = contractTypesWith(callingThread);
export const jsonSchemaContract = jsonSchemaContractWith(callingThread);
