/** The contract types that wave knows. A manifest that names another does not validate. */
import type { ContractDefinition } from "../model/pipeline.ts";
import type { ContractType } from "../model/ports.ts";
import { jsonSchemaContract } from "./json-schema.ts";
import { testSuiteContract } from "./test-suite.ts";

/** Type → what checks and evaluates it. */
export const contractTypes: ReadonlyMap<ContractDefinition["type"], ContractType> = new Map([
  [jsonSchemaContract.type, jsonSchemaContract],
  [testSuiteContract.type, testSuiteContract],
]);
