/** Stores the definition of a run: the manifest and every file that it names. */
import type { PayloadOf } from "../core/event.ts";
import { ok, type Result } from "../core/result.ts";
import { pinFiles } from "../store/pinned-manifest.ts";
import type { ReadProject } from "./open-project.ts";
import type { PlannedRun } from "./plan-run.ts";

/** Stores the manifest and every file that it names as blobs. Returns the members of events that describe the definition. */
export async function pinDefinition({
  read,
  store,
  plan,
}: Pick<PlannedRun, "read" | "store" | "plan">): Promise<Result<Pick<PayloadOf<"run-started">, "manifest" | "nodes">>> {
  const manifest = await pinFiles(store.blobs, filesToPin(read));
  if (!manifest.ok) return manifest;
  const nodes = plan.pipeline.steps.map((step) => ({
    id: step.id,
    kind: "work" as const,
    persona: step.persona.name,
    dependencies: [...step.dependencies],
    optional: step.optional,
    contracts: step.contracts.map((contract) => contract.name),
  }));
  return ok({ manifest: manifest.value, nodes });
}

/** The files that decide what a run executes: the manifest and every file that it names, by path relative to the project. */
export function filesToPin({ loaded }: Pick<ReadProject, "loaded">): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const [path, file] of loaded.files) if (file.kind === "text") files.set(path, Buffer.from(file.text));
  return files;
}
