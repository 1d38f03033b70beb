/** The contract types that wave knows. A manifest that names another does not validate. */

import type { Evaluator } from "../core/evaluation.ts";
import type { ContractDefinition } from "../core/pipeline.ts";
import type { ContractType } from "../core/ports.ts";
import { jsonSchemaContractWith } from "./json-schema/json-schema.ts";
import { testSuiteContract } from "./test-suite/test-suite.ts";

/** Type → its check and evaluation. `evaluator` runs whatever is not linear in data from steps. */
export function contractTypesWith(evaluator: Evaluator): ReadonlyMap<ContractDefinition["type"], ContractType> {
  return new Map([jsonSchemaContractWith(evaluator), testSuiteContract].map((type) => [type.type, type]));
}
