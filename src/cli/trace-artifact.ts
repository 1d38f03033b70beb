/** The lineage of an artifact, for `wave trace --lineage`. */
import { ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import type { ReadonlyRunStore } from "../engine/open-project.ts";
import type { FoundArtifact } from "../telemetry/lineage/find-artifact.ts";
import type { Lineage } from "../telemetry/lineage/lineage.ts";
import { jsonText } from "../text/json-text.ts";
import type { CommandOutput } from "./define-command.ts";
import { type KnownRuns, knownRuns } from "./known-runs.ts";

export interface ArtifactRequest {
  readonly store: ReadonlyRunStore;
  /** A name, `STEP/NAME`, or a prefix of a digest. */
  readonly artifact: string;
  /** The run. Defaults to the newest, and for a digest to any run that has it. */
  readonly selector?: string;
  readonly format: string;
}

/** Fails with `usage` and `run-not-found`, and as reading state does. */
export async function traceArtifact({ store, artifact, selector, format }: ArtifactRequest): Promise<Result<CommandOutput>> {
  const { state } = store;
  const [{ traceLineage }, runs] = [await import("../telemetry/lineage/trace-lineage.ts"), knownRuns(state)];
  const run = await state.findRun(selector ?? "latest");
  if (!run.ok) return run;
  const found = await locate(state, runs, { run: run.value, artifact, anywhere: selector === undefined });
  if (!found.ok) return found;
  const { step, artifact: ref } = found.value;
  const lineage = await traceLineage(runs.find, { run: found.value.run.id, step, digest: ref.digest, artifact: ref });
  return lineage.ok ? outputOf(lineage.value, found.value, format) : lineage;
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

async function outputOf(lineage: Lineage, { run }: Located, format: string): Promise<Result<CommandOutput>> {
  if (format === "mermaid") return ok({ data: (await import("../telemetry/lineage/lineage-as-mermaid.ts")).lineageAsMermaid(lineage) });
  if (format === "in-toto") {
    const statement = (await import("../telemetry/lineage/lineage-as-in-toto.ts")).lineageAsInToto(lineage);
    return statement.ok ? ok({ data: `${jsonText(statement.value, 2)}\n` }) : statement;
  }
  const { renderLineage } = await import("../telemetry/lineage/render-lineage.ts");
  return ok({ json: { ok: true, run: run.id, lineage }, text: ({ color }) => renderLineage(lineage, { color }) });
}
