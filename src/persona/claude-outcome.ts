/** What Claude Code's end means: work to judge, or a failure of the agent, of its model, or of nobody having worked. Pure. */
import type { Failure } from "../model/failure.ts";
import type { Resources } from "../model/pipeline.ts";
import { tokensOf, type Usage } from "../model/usage.ts";
import type { ClaudeResult } from "./claude-stream.ts";

/** What is known when the program has exited. */
export interface ClaudeEnd {
  readonly exitCode: number;
  readonly result: ClaudeResult | undefined;
  readonly usage: Usage;
  readonly prompt: string;
  readonly resources: Resources;
  readonly tail: string;
}

/** Nothing where there is work to judge. Exit status 0 and `success` say little: what was asked and answered is looked at. */
export function claudeFailure(end: ClaudeEnd): Failure | undefined {
  const { exitCode, result, usage, prompt, tail } = end;
  if (result === undefined) {
    if (exitCode === 0) return { reason: "hollow", detail: "the agent ended without a word of what it did" };
    return { reason: "agent-failed", kind: kindOf(undefined, tail), detail: `it exited with ${exitCode}`, tail };
  }
  if (result.isError) return errorOf(end, result);
  if (exitCode !== 0) return { reason: "agent-failed", kind: "crash", detail: `it exited with ${exitCode} after its answer`, tail };
  const detail = hollowness(result, usage, prompt);
  return detail === undefined ? undefined : { reason: "hollow", detail };
}

/** The budget that is spent, if one is. */
export function overBudget(
  usage: Usage,
  { maxTurns, maxTokens, maxCostUsd }: Resources,
): Extract<Failure, { reason: "budget-exceeded" }> | undefined {
  const tokens = tokensOf(usage);
  if (maxTurns !== undefined && usage.turns > maxTurns)
    return { reason: "budget-exceeded", what: "turns", limit: maxTurns, used: usage.turns };
  if (maxTokens !== undefined && tokens > maxTokens) return { reason: "budget-exceeded", what: "tokens", limit: maxTokens, used: tokens };
  if (maxCostUsd !== undefined && (usage.costUsd ?? 0) > maxCostUsd)
    return { reason: "budget-exceeded", what: "cost", limit: maxCostUsd, used: usage.costUsd ?? 0 };
  return undefined;
}

function errorOf({ usage, resources, tail }: ClaudeEnd, result: ClaudeResult): Failure {
  const { maxTurns, maxCostUsd } = resources;
  // The agent counts the same: it stops by itself at its cap.
  if (result.subtype === "error_max_turns") {
    if (maxTurns === undefined) return { reason: "hollow", detail: "the agent reached its cap of turns without an answer" };
    return { reason: "budget-exceeded", what: "turns", limit: maxTurns, used: Math.max(usage.turns, maxTurns) };
  }
  if (result.subtype === "error_max_budget_usd" && maxCostUsd !== undefined)
    return { reason: "budget-exceeded", what: "cost", limit: maxCostUsd, used: Math.max(usage.costUsd ?? 0, maxCostUsd) };
  const said = [result.text, ...result.errors].find((text) => text.trim() !== "") ?? result.subtype;
  const status = result.status === undefined ? {} : { status: result.status };
  return { reason: "agent-failed", kind: kindOf(result.status, said), detail: said.trim().slice(0, 500), ...status, tail };
}

function kindOf(status: number | undefined, text: string): Extract<Failure, { reason: "agent-failed" }>["kind"] {
  if (status === 401 || status === 403) return "auth";
  if (status === 429 || status === 529) return "rate-limit";
  if (status !== undefined && status >= 500) return "network";
  if (status !== undefined && status >= 400) return "config";
  if (/invalid api key|authentication|not logged in|\/login|unauthori[sz]ed/i.test(text)) return "auth";
  if (/connection|econn|enotfound|eai_again|fetch failed|timed? ?out|socket|network/i.test(text)) return "network";
  if (/unknown option|invalid (?:value|argument|model)|error: option/i.test(text)) return "config";
  return "crash";
}

function hollowness(result: ClaudeResult, usage: Usage, prompt: string): string | undefined {
  const answer = result.text.trim();
  if (usage.turns === 0) return "the model was never asked";
  if (answer === "" && usage.toolCalls === 0) return "the answer is empty";
  if (answer !== "" && answer === prompt.trim()) return "the answer repeats the prompt";
  if (usage.denials > 0 && usage.denials >= usage.toolCalls) return `all ${usage.denials} tool calls were denied`;
  return undefined;
}
