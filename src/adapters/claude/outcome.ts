/** Decides whether Claude Code's end is a success or a failure. Pure. */
import type { Failure } from "../../core/failure.ts";
import { emptyAnswerReason, errorKind, toolDenial } from "../budget.ts";
import type { AgentEnd } from "../run-agent.ts";
import type { ClaudeResult } from "./stream.ts";

/** Undefined if the agent did some work. Exit status 0 and `success` do not prove it, so usage and answer are checked too. */
export function claudeFailure(end: AgentEnd, result: ClaudeResult | undefined): Failure | undefined {
  const { exitCode, usage, prompt, tail } = end;
  if (result === undefined) {
    if (exitCode === 0) return { reason: "empty-output", detail: "the agent exited without reporting a result" };
    return { reason: "agent-failed", kind: errorKind(undefined, tail), detail: `it exited with ${exitCode}`, tail };
  }
  if (result.isError) return errorOf(end, result);
  if (exitCode !== 0) return { reason: "agent-failed", kind: "crash", detail: `it exited with ${exitCode} after its answer`, tail };
  const denied = result.deniedCalls.map(({ tool, argument }) => toolDenial(end.step, end.root, tool, argument));
  const detail = emptyAnswerReason(result.text, usage, prompt, denied);
  return detail === undefined ? undefined : { reason: "empty-output", detail };
}

function errorOf({ usage, resources, tail }: AgentEnd, result: ClaudeResult): Failure {
  const { maxTurns, maxCostUsd } = resources;
  // The agent enforces `--max-turns` itself, so Wave may have counted fewer.
  if (result.subtype === "error_max_turns") {
    if (maxTurns === undefined) return { reason: "empty-output", detail: "the agent reached its own turn limit without an answer" };
    return { reason: "budget-exceeded", what: "turns", limit: maxTurns, used: Math.max(usage.turns, maxTurns) };
  }
  if (result.subtype === "error_max_budget_usd" && maxCostUsd !== undefined)
    return { reason: "budget-exceeded", what: "cost", limit: maxCostUsd, used: Math.max(usage.costUsd ?? 0, maxCostUsd) };
  const text = [result.text, ...result.errors].find((one) => one.trim() !== "") ?? result.subtype;
  const status = result.status === undefined ? {} : { status: result.status };
  return { reason: "agent-failed", kind: errorKind(result.status, text), detail: text.trim().slice(0, 500), ...status, tail };
}
