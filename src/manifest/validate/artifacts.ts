/** Reads the artifacts of a step, and derives the names of those that its contracts imply. */
import { posix } from "node:path";
import { defined } from "../../core/defined.ts";
import type { DocumentNode, Origin } from "../../core/document.ts";
import type { StepArtifact } from "../../core/pipeline.ts";
import { staysInside } from "../../core/project-path.ts";
import { checkEither } from "./exclusive-keys.ts";
import type { Findings } from "./findings.ts";
import { asBoolean, asLocated, asOneOf, asText, items, member } from "./read-node.ts";

/** The artifacts under a step's `artifacts:`, each name once. */
export function readArtifacts(step: DocumentNode, findings: Findings): StepArtifact[] {
  const found = new Map<string, { artifact: StepArtifact; origin: Origin }>();
  for (const item of items(member(step, "artifacts"))) {
    const name = asLocated(item) ?? asLocated(member(item, "name"));
    if (name === undefined) continue;
    const before = found.get(name.text);
    if (before !== undefined) {
      findings.error("W312", `the step has two artifacts named \`${name.text}\``, name.origin, {
        related: [{ message: "the first one", origin: before.origin }],
      });
      continue;
    }
    const path = asLocated(member(item, "path"));
    if (path !== undefined && !staysInside(path.text)) {
      findings.error("W304", `the artifact's path \`${path.text}\` is outside the workspace`, path.origin, {
        hint: "use a path in the workspace, or write the artifact to `$WAVE_OUTPUT_DIR`",
      });
    }
    checkEither(item, "path", "source", findings);
    const artifact: StepArtifact = {
      name: name.text,
      ...defined({ path: path?.text }),
      optional: asBoolean(member(item, "optional")) ?? false,
      ...defined({
        source: asOneOf(member(item, "source"), ["message"] as const),
        mediaType: asText(member(item, "media_type")),
        scrub: asText(member(item, "on_secret")) === "scrub" ? true : undefined,
      }),
      implied: false,
    };
    found.set(name.text, { artifact, origin: name.origin });
  }
  return [...found.values()].map(({ artifact }) => artifact);
}

/** Derives `implementation` from `.wave/contracts/implementation.schema.json`. Undefined if the result is not a valid name. */
export function impliedName(schema: string): string | undefined {
  const name = posix
    .basename(schema)
    .replace(/\.(?:json|ya?ml)$/i, "")
    .replace(/[._-]schema$/i, "");
  return /^[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.))*$/.test(name) && name.length <= 100 ? name : undefined;
}
