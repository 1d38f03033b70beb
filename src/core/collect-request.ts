/** The input of the function that stores artifacts, which the executor calls. */
import type { Step } from "./pipeline.ts";
import type { Workspace } from "./ports.ts";

/** An ended attempt whose artifacts are stored. */
export interface CollectRequest {
  readonly step: Step;
  readonly workspace: Workspace;
  readonly finalMessage?: string;
  /** A final message that repeats the prompt is not an artifact. */
  readonly prompt: string;
}
