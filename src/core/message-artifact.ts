/** Decides whether an adapter's final message may become an artifact. Pure. */
import type { Step, StepArtifact } from "./pipeline.ts";

/**
 * Whether the final message becomes an artifact that was not written to a file. It does with `source: message`, or if
 * the prompt requests it: for the only artifact of an agent's step. A command's output is a log, not an answer.
 */
export function acceptsMessage({ adapter, artifacts }: Pick<Step, "adapter" | "artifacts">, artifact: StepArtifact): boolean {
  if (artifact.source === "message") return true;
  return artifacts.length === 1 && artifact.path === undefined && adapter !== undefined && adapter.name !== "command";
}
