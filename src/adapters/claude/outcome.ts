/** What Claude Code's end means: work to judge, or a failure of the agent, of its model, or of nobody having worked. Pure. */
import type { Failure } from "../../core/failure.ts";
import { emptyOutputReason, toolDenial, troubleOf } from "../budget.ts";
import type { AgentEnd } from "../run-agent.ts";
import type { ClaudeResult } from "./stream.ts";

/** Nothing where there is work to judge. Exit status 0 and `success` say little: what was asked and answered is looked at. */
export function claudeFailure(end: AgentEnd, result: ClaudeResult | undefined): Failure | undefined {
  const { exitCode, usage, prompt, tail } = end;
  if (result === undefined) {
    if (exitCode === 0) return { reason: "empty-output", detail: "the agent ended without a word of what it did" };
    return { reason: "agent-failed", kind: troubleOf(undefined, tail), detail: `it exited with ${exitCode}`, tail };
  }
  if (result.isError) return errorOf(end, result);
  if (exitCode !== 0) return { reason: "agent-failed", kind: "crash", detail: `it exited with ${exitCode} after its answer`, tail };
  const denied = result.deniedCalls.map(({ tool, argument }) => toolDenial(end.step, end.root, tool, argument));
  const detail = emptyOutputReason(result.text, usage, prompt, denied);
  return detail === undefined ? undefined : { reason: "empty-output", detail };
}

function errorOf({ usage, resources, tail }: AgentEnd, result: ClaudeResult): Failure {
  const { maxTurns, maxCostUsd } = resources;
  // The agent counts the same: it stops by itself at its cap.
  if (result.subtype === "error_max_turns") {
    if (maxTurns === undefined) return { reason: "empty-output", detail: "the agent reached its cap of turns without an answer" };
    return { reason: "budget-exceeded", what: "turns", limit: maxTurns, used: Math.max(usage.turns, maxTurns) };
  }
  if (result.subtype === "error_max_budget_usd" && maxCostUsd !== undefined)
    return { reason: "budget-exceeded", what: "cost", limit: maxCostUsd, used: Math.max(usage.costUsd ?? 0, maxCostUsd) };
  const said = [result.text, ...result.errors].find((text) => text.trim() !== "") ?? result.subtype;
  const status = result.status === undefined ? {} : { status: result.status };
  return { reason: "agent-failed", kind: troubleOf(result.status, said), detail: said.trim().slice(0, 500), ...status, tail };
}
