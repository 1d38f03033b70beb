/** Checks keys that cannot be combined, and keys that require another one. */
import type { DocumentNode } from "../../core/document.ts";
import { type Findings, quotedList } from "./findings.ts";
import { keyOrigin, member, startOf } from "./read-node.ts";
import { reportRemovedKey } from "./removed-keys.ts";

const shapes = ["pipeline", "steps", "pipelines"] as const;

/** A manifest has exactly one of `pipeline`, `steps` and `pipelines`. `name` and `version` require `steps`. */
export function checkManifestKeys(manifest: DocumentNode, findings: Findings): void {
  const [first, ...others] = shapes.filter((key) => member(manifest, key) !== undefined);
  const removed = manifest.kind === "map" ? shapes.flatMap((key) => manifest.removed?.get(key) ?? [])[0] : undefined;
  if (first === undefined && removed !== undefined) {
    reportRemovedKey("the manifest has no pipeline", removed, findings);
    return;
  }
  if (first === undefined) {
    findings.error("W203", "the manifest has no pipeline", startOf(manifest.origin), {
      hint: `add ${quotedList(
        shapes.map((shape) => `${shape}:`),
        "or",
      )}`,
    });
    return;
  }
  for (const key of others) {
    findings.error("W206", `\`${key}\` cannot be combined with \`${first}\``, keyOrigin(manifest, key), {
      hint: "use only one of `pipeline`, `steps` and `pipelines`",
      related: [{ message: `\`${first}\` is set here`, origin: keyOrigin(manifest, first) }],
    });
  }
  if (member(manifest, "steps") !== undefined) return;
  for (const key of ["name", "version"]) {
    if (member(manifest, key) === undefined) continue;
    const hint = first === "pipeline" ? `move it into \`pipeline\`` : `the files in \`pipelines\` set their own`;
    findings.error("W206", `\`${key}\` belongs to bare \`steps\`, not to \`${first}\``, keyOrigin(manifest, key), { hint });
  }
}

/** Reports the second of two keys that cannot be combined. */
export function checkEither(node: DocumentNode, first: string, second: string, findings: Findings): void {
  if (member(node, first) === undefined || member(node, second) === undefined) return;
  findings.error("W206", `\`${second}\` cannot be combined with \`${first}\``, keyOrigin(node, second), {
    hint: "remove one of them",
    related: [{ message: `\`${first}\` is set here`, origin: keyOrigin(node, first) }],
  });
}
