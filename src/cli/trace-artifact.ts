/** The lineage half of `wave trace`: which artifact is meant, and its lineage as text. */
import { ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import type { ReadonlyRunStore } from "../engine/open-project.ts";
import type { FoundArtifact } from "../telemetry/lineage/find-artifact.ts";
import type { Lineage } from "../telemetry/lineage/lineage.ts";
import { jsonText } from "../text/json-text.ts";
import { type KnownRuns, knownRuns } from "./known-runs.ts";

export interface ArtifactRequest {
  readonly store: ReadonlyRunStore;
  /** A name, `STEP/NAME`, or the beginning of a digest. */
  readonly artifact: string;
  /** The run; without one the newest, and for a digest any run that has it. */
  readonly selector?: string;
  readonly format: string;
  readonly color: boolean;
}

/** What is printed. Fails with `usage` and `run-not-found`, and as reading state does. */
export async function traceArtifact({ store, artifact, selector, format, color }: ArtifactRequest): Promise<Result<string>> {
  const { state } = store;
  const [{ traceLineage }, runs] = [await import("../telemetry/lineage/trace-lineage.ts"), knownRuns(state)];
  const run = await state.findRun(selector ?? "latest");
  if (!run.ok) return run;
  const found = await locate(state, runs, { run: run.value, artifact, anywhere: selector === undefined });
  if (!found.ok) return found;
  const { step, artifact: ref } = found.value;
  const lineage = await traceLineage(runs.find, { run: found.value.run.id, step, digest: ref.digest, artifact: ref });
  return lineage.ok ? textOf(lineage.value, found.value, format, color) : lineage;
}

interface Located extends FoundArtifact {
  readonly run: RunRecord;
}

async function locate(
  state: ReadonlyRunStore["state"],
  runs: KnownRuns,
  { run, artifact, anywhere }: { readonly run: RunRecord; readonly artifact: string; readonly anywhere: boolean },
): Promise<Result<Located>> {
  const { findArtifact, isDigestLike } = await import("../telemetry/lineage/find-artifact.ts");
  const here = findArtifact(run, artifact);
  if (here.ok) return ok({ ...here.value, run });
  if (!anywhere || !isDigestLike(artifact)) return here;
  const listed = await state.listRuns();
  if (!listed.ok) return listed;
  for (const { id } of listed.value) {
    const other = id === run.id ? ok(undefined) : await runs.find(id);
    if (!other.ok) return other;
    const found = other.value === undefined ? here : findArtifact(other.value.record, artifact);
    if (found.ok && other.value !== undefined) return ok({ ...found.value, run: other.value.record });
  }
  return here;
}

async function textOf(lineage: Lineage, found: Located, format: string, color: boolean): Promise<Result<string>> {
  switch (format) {
    case "json":
      return ok(`${jsonText({ ok: true, run: found.run.id, lineage })}\n`);
    case "mermaid":
      return ok((await import("../telemetry/lineage/lineage-as-mermaid.ts")).lineageAsMermaid(lineage));
    case "in-toto": {
      const statement = (await import("../telemetry/lineage/lineage-as-in-toto.ts")).lineageAsInToto(lineage);
      return statement.ok ? ok(`${jsonText(statement.value, 2)}\n`) : statement;
    }
    default:
      return ok((await import("../telemetry/lineage/render-lineage.ts")).renderLineage(lineage, { color }));
  }
}
