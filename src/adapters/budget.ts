/** Checks that all agent adapters share: exceeded budgets, empty output, denied tool calls, kinds of errors. Pure. */
import { rulesText } from "../core/denial.ts";
import type { Denial, Failure } from "../core/failure.ts";
import { type Capability, denyingRules } from "../core/permissions.ts";
import type { Resources, Step } from "../core/pipeline.ts";
import { tokensOf, type Usage } from "../core/usage.ts";

/** Limits for a failure text: number of tool calls, and characters per argument. */
const maxCalls = 3;
const maxArgument = 120;

/** The failure for the first exceeded limit: turns, tokens, then cost in USD. Undefined if none is exceeded. */
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

/** Why an attempt produced nothing, as a clause; undefined if it may have. `denied`: the denied tool calls that the agent reports. */
export function emptyAnswerReason(answer: string, usage: Usage, prompt: string, denied: readonly Denial[] = []): string | undefined {
  const text = answer.trim();
  if (usage.turns === 0) return "the model was never called";
  if (text === "" && usage.toolCalls === 0) return "the answer is empty";
  if (text !== "" && text === prompt.trim()) return "the answer repeats the prompt";
  if (usage.denials > 0 && usage.denials >= usage.toolCalls) return denialText(usage.denials, denied);
  return undefined;
}

/** `` its only tool call (Write package.json) was denied by `file_write:src/**` ``. */
function denialText(count: number, denied: readonly Denial[]): string {
  const calls = [...new Set(denied.map(({ access }) => access))];
  const named = calls.length === 0 ? "" : ` (${calls.slice(0, maxCalls).join(", ")}${calls.length > maxCalls ? ", …" : ""})`;
  const rules = [...new Set(denied.flatMap((denial) => denial.rules))];
  const by = rules.length === 0 ? "" : ` by ${rulesText(rules)}`;
  return count === 1 ? `its only tool call${named} was denied${by}` : `all of its ${count} tool calls${named} were denied${by}`;
}

/** A denied tool call. `argument` is its path or command; an absolute path below `root` becomes relative. */
export function toolDenial(step: Pick<Step, "permissions">, root: string, tool: string, argument: string | undefined): Denial {
  const text = argument?.startsWith(`${root}/`) === true ? argument.slice(root.length + 1) : argument;
  const capability = capabilityOf(tool);
  const rules = text === undefined || capability === undefined ? undefined : denyingRules(step.permissions, capability, text);
  return { access: text === undefined ? tool : `${tool} ${text.slice(0, maxArgument)}`, rules: rules ?? [] };
}

function capabilityOf(tool: string): Capability | undefined {
  if (/write|edit|create|replace|patch|delete/i.test(tool)) return "file_write";
  if (/read|view|grep|glob|search/i.test(tool)) return "file_read";
  return /bash|shell|command|exec/i.test(tool) ? "command" : undefined;
}

/** Classifies an error of the model API by its HTTP status, else by its text. `crash` if neither matches. */
export function errorKind(status: number | undefined, text: string): Extract<Failure, { reason: "agent-failed" }>["kind"] {
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
