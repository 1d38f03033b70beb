/** Reports required keys that an overlay removed with `null`, at the position in the overlay. */
import { type DocumentPath, nodeAt, type Origin } from "../../core/document.ts";
import type { ShapeProblem } from "./check-shape.ts";
import type { Findings } from "./findings.ts";
import { nameOf } from "./schema-wording.ts";
import type { ShapeReport } from "./shape-problems.ts";

const hint = "`null` in an overlay removes a key; set a value, or remove the key from the overlay";

/** Reports removed keys. Returns the report with the remaining problems. */
export function withoutRemovedKeys(report: ShapeReport, findings: Findings): ShapeReport {
  const problems = report.problems.filter((problem) => {
    const removal = removalOf(problem, report);
    if (removal === undefined) return true;
    const { key, path, origin } = removal;
    reportRemovedKey(`\`${key}\` is missing${path.length === 0 ? "" : ` in ${nameOf(path)}`}`, origin, findings);
    return false;
  });
  return { ...report, problems };
}

/** Reports a key that is missing because of the `null` at `origin`. */
export function reportRemovedKey(missing: string, origin: Origin, findings: Findings): void {
  findings.error("W203", `${missing}: the overlay \`${origin.file}\` removes it`, origin, { hint });
}

function removalOf(
  { keyword, schemaPath, instancePath, params }: ShapeProblem,
  { node, prefix }: ShapeReport,
): { readonly key: string; readonly path: DocumentPath; readonly origin: Origin } | undefined {
  // In a union, a missing key may belong to a branch that was not meant.
  if (keyword !== "required" || schemaPath.includes("/anyOf/")) return undefined;
  const path = partsOf(instancePath);
  const owner = nodeAt(node, path);
  const key = String(params["missingProperty"]);
  const origin = owner?.kind === "map" ? owner.removed?.get(key) : undefined;
  return origin === undefined ? undefined : { key, path: [...prefix, ...path], origin };
}

/** The parts of a JSON pointer. Digits become numbers; `nodeAt` accepts them as keys too. */
function partsOf(pointer: string): DocumentPath {
  const parts = pointer.split("/").slice(1);
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part.replaceAll("~1", "/").replaceAll("~0", "~")));
}
