/** Finds the JSON schema for a model's structured output. Pure. */
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { Step } from "../../core/pipeline.ts";
import type { ContractFile } from "../../core/ports.ts";

/**
 * The schema of the only `json_schema` contract on the step's only artifact, without `$id` and `$schema`. Undefined if the
 * artifact is a file, or if the schema is not for an object or refers to other files; the contract then checks afterwards.
 */
export function expectedSchema(step: Step, files: ReadonlyMap<string, ContractFile>): JsonObject | undefined {
  const [artifact, ...others] = step.artifacts;
  if (artifact === undefined || others.length > 0 || artifact.path !== undefined) return undefined;
  const contracts = step.contracts.filter((contract) => contract.type === "json_schema" && contract.artifact === artifact.name);
  const [contract, ...more] = contracts;
  if (contract?.type !== "json_schema" || more.length > 0) return undefined;
  const schema = parse(files.get(contract.schema)?.text);
  if (!isJsonObject(schema) || schema["type"] !== "object" || refersElsewhere(schema)) return undefined;
  const { $id: _id, $schema: _dialect, ...rest } = schema;
  return rest;
}

function refersElsewhere(value: JsonValue): boolean {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).some(refersElsewhere);
  if (!isJsonObject(value)) return false;
  return Object.entries(value).some(
    ([key, member]) =>
      (["$ref", "$dynamicRef", "$recursiveRef"].includes(key) && typeof member === "string" && !member.startsWith("#")) ||
      refersElsewhere(member),
  );
}

function parse(text: string | undefined): JsonValue | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as JsonValue);
  } catch {
    return undefined;
  }
}
