/** An evaluator without a thread and without limits, and the contract types with it: unit tests evaluate in the thread that calls. */
import { contractTypesWith } from "../../src/contract/contract-types.ts";
import { jsonSchemaContractWith } from "../../src/contract/json-schema.ts";
import { evaluations } from "../../src/evaluation/evaluations.ts";
import type { Evaluator } from "../../src/model/evaluation.ts";
import { ok } from "../../src/model/result.ts";

export const callingThread: Evaluator = {
  warm: () => {},
  async evaluate(evaluation, input, { files } = {}) {
    const work = (await evaluations[evaluation]()) as (input: unknown, files: unknown) => never;
    return ok(work(input, files));
  },
};

export const contractTypes = contractTypesWith(callingThread);
export const jsonSchemaContract = jsonSchemaContractWith(callingThread);
