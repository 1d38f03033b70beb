/** Detects attempts that exited successfully but produced nothing. Pure. */
import { decidingAttempt } from "./deciding-attempt.ts";
import type { ArtifactRef } from "./event.ts";
import type { Step } from "./pipeline.ts";
import type { StepRecord } from "./state.ts";

/** The result of an attempt before its contracts are evaluated. */
export interface AttemptOutput {
  /** Whether the attempt changed files. Undefined in a shared workspace, where it is not known. */
  readonly changed: boolean | undefined;
  readonly artifacts: readonly Pick<ArtifactRef, "source">[];
  readonly finalMessage: string | undefined;
}

/** In characters. Longer messages are reports, even if they end with a question. */
const longestQuestion = 500;

/** Whether nothing checks an agent's step: it has neither an artifact nor a contract. A program's exit status is a check. */
export function isUnchecked({ adapter, artifacts, contracts }: Pick<Step, "adapter" | "artifacts" | "contracts">): boolean {
  return adapter !== undefined && !["command", "replay"].includes(adapter.name) && artifacts.length === 0 && contracts.length === 0;
}

/** Like `isUnchecked`, for the record of a passed step. */
export function passedUnchecked(step: StepRecord): boolean {
  const attempt = decidingAttempt(step);
  if (step.status !== "passed" || attempt === undefined || /^(?:command|replay)\b/.test(attempt.adapter)) return false;
  return step.artifacts.length === 0 && attempt.contracts.length === 0;
}

/** Why the output counts as empty, as a clause; undefined if it does not. */
export function emptyOutputReason(step: Step, { changed, artifacts, finalMessage }: AttemptOutput): string | undefined {
  if (
    step.adapter?.name !== "command" &&
    changed !== true &&
    !artifacts.some(({ source }) => source !== "message") &&
    isQuestion(finalMessage)
  )
    return `the agent asked a question and did nothing: "${finalMessage?.trim()}"`;
  if (step.changes === "required" && changed === false)
    return "it changed no files, and `changes: required` holds for this step (the default for an agent's step with neither artifact nor contract)";
  return undefined;
}

/** A short message whose last sentence is a question. Code and JSON are answers. */
function isQuestion(message: string | undefined): boolean {
  const text = message?.trim() ?? "";
  return text.length <= longestQuestion && !/```|^[[{]/.test(text) && /[?？؟][\s*_`"'”’)\]]*$/.test(text);
}
