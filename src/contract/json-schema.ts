/**
 * The `json_schema` contract: an artifact is JSON and valid against a schema of the project. The evaluator is loaded on
 * first use; what it needs beyond this context, it does not get.
 */
import { describeFailure } from "../model/describe.ts";
import type { JsonSchemaContract } from "../model/pipeline.ts";
import type { ContractContext, ContractOutcome, ContractProblem, ContractType, GateFile } from "../model/ports.ts";

/** Checks and evaluates `json_schema` contracts. */
export const jsonSchemaContract: ContractType = {
  type: "json_schema",
  check: async (contract, files) => (contract.type === "json_schema" ? check(contract, files) : []),
  verify: async (context) =>
    context.contract.type === "json_schema"
      ? verify(context, context.contract)
      : { verdict: "error", violations: [{ message: "this is no json_schema contract" }] },
};

async function check(contract: JsonSchemaContract, files: ReadonlyMap<string, GateFile>): Promise<readonly ContractProblem[]> {
  const { schemaProblems } = await import("./json-schema-engine.ts");
  return schemaProblems(contract.schema, files);
}

async function verify(context: ContractContext, contract: JsonSchemaContract): Promise<ContractOutcome> {
  const { artifact, schema } = contract;
  const made = context.artifacts.find((one) => one.name === artifact);
  if (made === undefined) {
    const optional = context.step.artifacts.some((one) => one.name === artifact && one.optional);
    return optional
      ? { verdict: "pass", violations: [] }
      : { verdict: "fail", violations: [{ message: `the artifact \`${artifact}\` was not made`, rule: "artifact" }] };
  }
  const bytes = await context.readArtifact(artifact);
  if (!bytes.ok) {
    const { title, detail } = describeFailure(bytes.error);
    return {
      verdict: "error",
      violations: [{ message: [`the artifact \`${artifact}\` cannot be read: ${title}`, ...detail].join("; "), rule: "artifact" }],
    };
  }
  const { evaluate } = await import("./json-schema-engine.ts");
  return evaluate(schema, context.files, bytes.value, made.source === "message" ? artifact : made.source);
}
