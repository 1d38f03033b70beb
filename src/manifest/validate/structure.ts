/** Checks documents against the generated shapes. References are checked elsewhere. */
import { type DocumentNode, nodeAt, toValue } from "../../core/document.ts";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import { checkShape } from "./check-shape.ts";
import type { Findings } from "./findings.ts";
import { shapes } from "./generated/manifest-shapes.js";
import { withoutRemovedKeys } from "./removed-keys.ts";
import { reportShapeProblems } from "./shape-problems.ts";

export type DocumentKind = "manifest" | "pipeline-file" | "persona" | "test";

/** Reports all shape problems of a document. */
export function checkStructure(document: DocumentNode, kind: DocumentKind, findings: Findings): void {
  const value = toValue(document);
  const problems = checkShape(shapes[kind], value);
  reportShapeProblems(withoutRemovedKeys({ problems, node: document, prefix: [] }, findings), findings);
  if (kind === "manifest" || kind === "pipeline-file") checkSteps(["pipeline", "steps"], value, document, findings);
  if (kind === "manifest") checkSteps(["steps"], value, document, findings);
}

/** Checks steps one by one, so that a problem in one does not hide those of others. */
function checkSteps(path: readonly string[], value: JsonValue, document: DocumentNode, findings: Findings): void {
  const list = nodeAt(document, path);
  const values = path.reduce<JsonValue | undefined>((at, key) => (isJsonObject(at) ? at[key] : undefined), value);
  if (list?.kind !== "list" || !Array.isArray(values)) return;
  for (const [index, node] of list.items.entries()) {
    const problems = checkShape(shapes.step, values[index]);
    reportShapeProblems(withoutRemovedKeys({ problems, node, prefix: ["steps", index] }, findings), findings);
  }
}
