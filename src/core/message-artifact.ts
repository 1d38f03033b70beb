/** Decides whether an adapter's final message may become an artifact. Pure. */
import type { Step, StepArtifact } from "./pipeline.ts";

/**
 * Whether the final message is taken for an artifact that was not written to a file: with `source: message`, or where the prompt asks for
 * it, which it does if the step declares this one artifact and an agent executes the step. A command's output is a log, not an answer.
 */
export function acceptsMessage({ adapter, artifacts }: Pick<Step, "adapter" | "artifacts">, artifact: StepArtifact): boolean {
  if (artifact.source === "message") return true;
  return artifacts.length === 1 && artifact.path === undefined && adapter !== undefined && adapter.name !== "command";
}
