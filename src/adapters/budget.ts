/** Budgets of an attempt, and work that was not done: the same for every agent. Pure. */
import type { Failure } from "../core/failure.ts";
import type { Resources } from "../core/pipeline.ts";
import { tokensOf, type Usage } from "../core/usage.ts";

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

/** Why an answer is no work; nothing where it may be some. */
export function emptyOutputReason(answer: string, usage: Usage, prompt: string): string | undefined {
  const said = answer.trim();
  if (usage.turns === 0) return "the model was never asked";
  if (said === "" && usage.toolCalls === 0) return "the answer is empty";
  if (said !== "" && said === prompt.trim()) return "the answer repeats the prompt";
  if (usage.denials > 0 && usage.denials >= usage.toolCalls) return `all ${usage.denials} tool calls were denied`;
  return undefined;
}

/** What went wrong between an agent and its model, by the status of HTTP or by its words. */
export function troubleOf(status: number | undefined, text: string): Extract<Failure, { reason: "agent-failed" }>["kind"] {
  if (status === 401 || status === 403) return "auth";
  if (status === 429 || status === 529) return "rate-limit";
  if (status !== undefined && status >= 500) return "network";
  if (status !== undefined && status >= 400) return "config";
  if (/invalid api key|authentication|not logged in|\/login|unauthori[sz]ed/i.test(text)) return "auth";
  if (/high demand|overloaded|rate.?limit/i.test(text)) return "rate-limit";
  if (/connection|econn|enotfound|eai_again|fetch failed|timed? ?out|socket|network|error sending request/i.test(text)) return "network";
  if (/unknown option|invalid (?:value|argument|model)|unexpected argument|error: option/i.test(text)) return "config";
  return "crash";
}
