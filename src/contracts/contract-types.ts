/** The table of contract types. A manifest with another type is invalid. */

import type { Evaluator } from "../core/evaluation.ts";
import type { ContractDefinition } from "../core/pipeline.ts";
import type { ContractType } from "../core/ports.ts";
import { jsonSchemaContractWith } from "./json-schema/json-schema.ts";
import { testSuiteContract } from "./test-suite/test-suite.ts";

/** Type → its implementation. `evaluator` runs everything whose cost is not linear in the size of step data. */
export function contractTypesWith(evaluator: Evaluator): ReadonlyMap<ContractDefinition["type"], ContractType> {
  return new Map([jsonSchemaContractWith(evaluator), testSuiteContract].map((type) => [type.type, type]));
}
