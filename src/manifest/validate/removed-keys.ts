/** Required keys that an overlay removed with `null`: reported at the overlay, not in the file that has them. */
import { type DocumentPath, nodeAt, type Origin } from "../../core/document.ts";
import type { ShapeProblem } from "./check-shape.ts";
import type { Findings } from "./findings.ts";
import { nameOf } from "./schema-wording.ts";
import type { ShapeReport } from "./shape-problems.ts";

const hint = "`null` in an overlay removes a key: write a value, or leave the key out";

/** Reports the removed keys of a report. Returns the report with its other problems. */
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

/** Reports what is missing because of the `null` at `origin`. */
export function reportRemovedKey(missing: string, origin: Origin, findings: Findings): void {
  findings.error("W203", `${missing}: the overlay \`${origin.file}\` removes it`, origin, { hint });
}

function removalOf(
  { keyword, schemaPath, instancePath, params }: ShapeProblem,
  { node, prefix }: ShapeReport,
): { readonly key: string; readonly path: DocumentPath; readonly origin: Origin } | undefined {
  // Inside a union, a missing key may only show which branch was not meant.
  if (keyword !== "required" || schemaPath.includes("/anyOf/")) return undefined;
  const path = partsOf(instancePath);
  const owner = nodeAt(node, path);
  const key = String(params["missingProperty"]);
  const origin = owner?.kind === "map" ? owner.removed?.get(key) : undefined;
  return origin === undefined ? undefined : { key, path: [...prefix, ...path], origin };
}

/** The parts of a JSON pointer. A part of digits is an index, or the key of a map: `nodeAt` takes it as both. */
function partsOf(pointer: string): DocumentPath {
  const parts = pointer.split("/").slice(1);
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part.replaceAll("~1", "/").replaceAll("~0", "~")));
}
