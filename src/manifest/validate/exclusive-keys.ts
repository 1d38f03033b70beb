/** Keys that exclude each other, and keys that mean nothing without another one. */
import type { DocumentNode } from "../../core/document.ts";
import { type Findings, listed } from "./findings.ts";
import { keyOrigin, member, startOf } from "./read-node.ts";
import { reportRemovedKey } from "./removed-keys.ts";

const shapes = ["pipeline", "steps", "pipelines"] as const;

/** A manifest has exactly one of `pipeline`, `steps` and `pipelines`; `name` and `version` go with `steps`. */
export function checkManifestKeys(manifest: DocumentNode, findings: Findings): void {
  const [first, ...others] = shapes.filter((key) => member(manifest, key) !== undefined);
  const removed = manifest.kind === "map" ? shapes.flatMap((key) => manifest.removed?.get(key) ?? [])[0] : undefined;
  if (first === undefined && removed !== undefined) {
    reportRemovedKey("the manifest has no pipeline", removed, findings);
    return;
  }
  if (first === undefined) {
    findings.error("W203", "the manifest has no pipeline", startOf(manifest.origin), {
      hint: `add ${listed(
        shapes.map((shape) => `${shape}:`),
        "or",
      )}`,
    });
    return;
  }
  for (const key of others) {
    findings.error("W206", `\`${key}\` cannot stand beside \`${first}\``, keyOrigin(manifest, key), {
      hint: "a manifest has one of `pipeline`, `steps` and `pipelines`",
      related: [{ message: `\`${first}\` stands here`, origin: keyOrigin(manifest, first) }],
    });
  }
  if (member(manifest, "steps") !== undefined) return;
  for (const key of ["name", "version"]) {
    if (member(manifest, key) === undefined) continue;
    const hint = first === "pipeline" ? `write it below \`pipeline\`` : `the files below \`pipelines\` have names of their own`;
    findings.error("W206", `\`${key}\` goes with bare \`steps\`, not with \`${first}\``, keyOrigin(manifest, key), { hint });
  }
}

/** Reports the second of two keys of which a map may have one. */
export function checkEither(node: DocumentNode, first: string, second: string, findings: Findings): void {
  if (member(node, first) === undefined || member(node, second) === undefined) return;
  findings.error("W206", `\`${second}\` cannot stand beside \`${first}\``, keyOrigin(node, second), {
    hint: "leave one of them out",
    related: [{ message: `\`${first}\` stands here`, origin: keyOrigin(node, first) }],
  });
}
