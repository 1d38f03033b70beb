/**
 * The shape of documents: runs the precompiled validators and turns what they find into diagnostics. Knows nothing of what
 * names refer to.
 */
import { type DocumentNode, nodeAt, toValue } from "../model/document.ts";
import { isJsonObject, type JsonValue } from "../model/json.ts";
import type { Findings } from "./findings.ts";
import {
  type SchemaValidator,
  validateManifest,
  validatePersona,
  validatePipelineFile,
  validateStep,
} from "./generated/manifest-validator.js";
import { reportSchemaErrors } from "./schema-errors.ts";

const validators = { validateManifest, validatePipelineFile, validatePersona, validateStep } as const;

/** What a document is. */
export type DocumentKind = "manifest" | "pipeline-file" | "persona";

const validatorOf = { manifest: "validateManifest", "pipeline-file": "validatePipelineFile", persona: "validatePersona" } as const;

/** Reports everything in a document that has the wrong shape. */
export function checkStructure(document: DocumentNode, kind: DocumentKind, findings: Findings): void {
  const value = toValue(document);
  check(validatorOf[kind], value, document, findings);
  if (kind !== "persona") checkSteps(["pipeline", "steps"], value, document, findings);
  if (kind === "manifest") checkSteps(["steps"], value, document, findings);
}

/** Steps are checked one by one, so that a mistake in one costs nothing in the others. */
function checkSteps(path: readonly string[], value: JsonValue, document: DocumentNode, findings: Findings): void {
  const list = nodeAt(document, path);
  const values = path.reduce<JsonValue | undefined>((at, key) => (isJsonObject(at) ? at[key] : undefined), value);
  if (list?.kind !== "list" || !Array.isArray(values)) return;
  for (const [index, node] of list.items.entries()) check("validateStep", values[index], node, findings, ["steps", index]);
}

function check(
  name: keyof typeof validators,
  value: unknown,
  node: DocumentNode,
  findings: Findings,
  prefix: readonly (string | number)[] = [],
): void {
  const validate: SchemaValidator = validators[name];
  if (!validate(value)) reportSchemaErrors({ errors: validate.errors ?? [], node, prefix, validator: name }, findings);
}
