/** Finds an artifact of a run by name, `STEP/NAME` or digest. Pure. */
import type { ArtifactRef } from "../../core/event.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { RunRecord } from "../../core/state.ts";

export interface FoundArtifact {
  readonly step: string;
  readonly artifact: ArtifactRef;
}

/** The least number of hex digits in a prefix of a digest. */
const shortestPrefix = 6;

/** Whether a text is a full digest, or a prefix of one with `sha256:`. */
export function isDigestLike(text: string): boolean {
  return /^sha256:[0-9a-f]{6,64}$/.test(text) || /^[0-9a-f]{64}$/.test(text);
}

/** Finds the artifact. Fails with `usage`, and lists candidates, if none or several match. */
export function findArtifact(run: RunRecord, wanted: string): Result<FoundArtifact> {
  const left = run.steps.flatMap((step) => step.artifacts.map((artifact) => ({ step: step.id, artifact })));
  const named = left.filter(({ step, artifact }) => artifact.name === wanted || `${step}/${artifact.name}` === wanted);
  const found = named.length > 0 ? named : byDigest(run, left, wanted);
  const [first, ...others] = found;
  if (first !== undefined && others.length === 0) return ok(first);
  const words = (some: readonly FoundArtifact[]) => some.map(({ step, artifact }) => `${step}/${artifact.name}`).join(", ");
  if (first !== undefined)
    return err({ reason: "usage", message: `\`${wanted}\` is ambiguous in run ${run.id}`, hint: `name one of ${words(found)}` });
  const hint = left.length === 0 ? "the run has no artifacts" : `its artifacts: ${words(left)}`;
  return err({ reason: "usage", message: `run ${run.id} has no artifact \`${wanted}\``, hint });
}

/** Artifacts of steps; if none matches, those of attempts that do not count. */
function byDigest(run: RunRecord, left: readonly FoundArtifact[], wanted: string): readonly FoundArtifact[] {
  const hex = wanted.replace(/^sha256:/, "");
  if (hex.length < shortestPrefix || !/^[0-9a-f]+$/.test(hex)) return [];
  const fits = ({ artifact }: FoundArtifact) => artifact.digest.startsWith(`sha256:${hex}`);
  const counted = left.filter(fits);
  if (counted.length > 0) return counted;
  const tried = run.steps.flatMap(({ id, attempts }) =>
    attempts.flatMap((attempt) => attempt.artifacts.map((artifact) => ({ step: id, artifact }))),
  );
  const seen = new Set<string>();
  return tried.filter(fits).filter(({ step, artifact }) => {
    const key = `${step}/${artifact.name}/${artifact.digest}`;
    const fresh = !seen.has(key);
    seen.add(key);
    return fresh;
  });
}
