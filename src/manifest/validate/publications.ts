/** Reads the publications of a pipeline: the artifact of each, and the step that produces it. */
import type { DocumentNode } from "../../core/document.ts";
import type { Publication, PublicationKind, Step } from "../../core/pipeline.ts";
import { type Findings, quotedList } from "./findings.ts";
import { asBoolean, asLocated, items, member } from "./read-node.ts";

const kinds: readonly PublicationKind[] = ["pr_comment", "pr_review"];

/** Reads `publish`. Publications without exactly one producing step are reported and left out. */
export function readPublications(node: DocumentNode | undefined, steps: readonly Step[], findings: Findings): Publication[] {
  return items(node).flatMap((item) =>
    kinds.flatMap((kind) => {
      const written = member(item, kind);
      const artifact = asLocated(member(written, "artifact"));
      if (written === undefined || artifact === undefined) return [];
      const from = producerOf(artifact, asLocated(member(written, "from")), steps, findings);
      const optional = asBoolean(member(written, "optional")) ?? false;
      return from === undefined ? [] : [{ kind, artifact: artifact.text, from, optional, origin: artifact.origin }];
    }),
  );
}

type Located = NonNullable<ReturnType<typeof asLocated>>;

function producerOf(artifact: Located, from: Located | undefined, steps: readonly Step[], findings: Findings): string | undefined {
  const ids = steps.map(({ id }) => id);
  if (from !== undefined && !ids.includes(from.text)) {
    findings.error("W302", `there is no step \`${from.text}\``, from.origin, findings.guess(from.text, ids, "use a step of this pipeline"));
    return undefined;
  }
  const producers = steps.filter(
    ({ id, artifacts }) => (from === undefined || id === from.text) && artifacts.some(({ name }) => name === artifact.text),
  );
  const [first, second] = producers.map(({ id }) => id);
  if (first === undefined) {
    const made = steps.flatMap(({ artifacts }) => artifacts.map(({ name }) => name));
    const hint = "add it to the `artifacts` of the step that produces it";
    findings.error("W305", `no step produces \`${artifact.text}\``, artifact.origin, findings.guess(artifact.text, made, hint));
    return undefined;
  }
  if (second === undefined) return first;
  findings.error("W307", `\`${artifact.text}\` is produced by ${quotedList(producers.map(({ id }) => id))}`, artifact.origin, {
    hint: `choose one: \`{ artifact: ${artifact.text}, from: ${first} }\``,
  });
  return undefined;
}
