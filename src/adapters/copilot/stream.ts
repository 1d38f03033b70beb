/**
 * Parses the output of Copilot CLI's `--output-format json`, one JSON object per line. Copilot reports tokens in a file on
 * exit and no cost. Unknown types are ignored, because the format grows. Pure.
 */
import { defined } from "../../core/defined.ts";
import type { Failure } from "../../core/failure.ts";
import { noUsage, type Usage } from "../../core/usage.ts";
import { emptyAnswerReason, errorKind } from "../budget.ts";
import { jsonLines, type Line, listOf, objectOf } from "../json-lines.ts";
import type { AgentEnd, AgentStream } from "../run-agent.ts";

interface StreamState {
  turns: number;
  tools: number;
  denials: number;
  tokens: Pick<Usage, "inputTokens" | "outputTokens" | "cacheReadTokens" | "cacheWriteTokens">;
  answer?: string;
  ended: boolean;
  /** Failed tries of the current request. */
  tries: number;
  error?: { readonly text: string; readonly status?: number };
}

/** Copilot tries a request six times, for up to a minute. After this many failures, the attempt ends. */
const maxTries = 3;

export function copilotStream(): AgentStream {
  const state: StreamState = { turns: 0, tools: 0, denials: 0, tokens: noUsage, ended: false, tries: 0 };
  return {
    push: jsonLines((line, text) =>
      line === undefined ? `${text}\n` : consume(state, String(line["type"]), objectOf(line["data"]), line),
    ),
    usage: () => ({ ...noUsage, ...state.tokens, turns: state.turns, toolCalls: state.tools, denials: state.denials }),
    fatalError: () => (state.tries < maxTries ? undefined : agentFailure(state.error ?? { text: "requests to the model fail" }, "")),
    failure: (end) => failureOf(state, end),
    finalMessage: () => state.answer,
    readExitReport: (text) => {
      state.tokens = tokensOf(text);
    },
  };
}

function consume(state: StreamState, type: string, details: Line, line: Line): string {
  switch (type) {
    case "assistant.message":
      return answered(state, details);
    case "tool.execution_complete":
      return toolEnded(state, details);
    case "model.call_failure":
      state.tries += 1;
      state.error = errorOf(details["errorMessage"], details["statusCode"]);
      return `! ${state.error.text}\n`;
    case "model.call_final_result":
      if (details["result"] === "success") state.tries = 0;
      return "";
    case "session.error":
      state.error = errorOf(details["message"], details["statusCode"] ?? state.error?.status);
      return `! ${state.error.text}\n`;
    case "result":
      state.ended = line["exitCode"] === 0;
      return "";
    default:
      return "";
  }
}

function answered(state: StreamState, details: Line): string {
  state.turns += 1;
  state.tries = 0;
  delete state.error;
  const text = String(details["content"] ?? "");
  state.answer = text;
  const calls = listOf(details["toolRequests"]);
  state.tools += calls.length;
  const lines = calls.map((call) => `→ ${String(call["name"])} ${JSON.stringify(call["arguments"] ?? {}).slice(0, 300)}\n`);
  return [...(text.trim() === "" ? [] : [`${text}\n`]), ...lines].join("");
}

function toolEnded(state: StreamState, details: Line): string {
  if (details["success"] !== false) return "";
  const error = objectOf(details["error"]);
  if (error["code"] === "denied") state.denials += 1;
  return `← ${String(error["message"] ?? "").slice(0, 500)}\n`;
}

function errorOf(message: unknown, status: unknown): NonNullable<StreamState["error"]> {
  return {
    text: String(message ?? "")
      .trim()
      .slice(0, 500),
    ...(typeof status === "number" ? { status } : {}),
  };
}

function agentFailure({ text, status }: NonNullable<StreamState["error"]>, tail: string): Failure {
  return {
    reason: "agent-failed",
    kind: errorKind(status, text),
    detail: text,
    ...defined({ status }),
    tail,
  };
}

function failureOf(state: StreamState, { exitCode, usage, prompt, tail }: AgentEnd): Failure | undefined {
  if (state.error !== undefined) return agentFailure(state.error, tail);
  if (exitCode !== 0) return { reason: "agent-failed", kind: errorKind(undefined, tail), detail: `it exited with ${exitCode}`, tail };
  if (!state.ended || state.answer === undefined) return { reason: "empty-output", detail: "the agent exited without reporting a result" };
  const detail = emptyAnswerReason(state.answer, usage, prompt);
  return detail === undefined ? undefined : { reason: "empty-output", detail };
}

/** Sums over all models. Copilot counts cached tokens as input too. Zero if the report is not valid. */
function tokensOf(text: string): StreamState["tokens"] {
  let metrics: Line;
  try {
    metrics = objectOf(objectOf(JSON.parse(text))["modelMetrics"]);
  } catch {
    return noUsage;
  }
  const all = Object.values(metrics).map((metric) => objectOf(objectOf(metric)["usage"]));
  const sum = (name: string) => all.reduce((total, usage) => total + (typeof usage[name] === "number" ? usage[name] : 0), 0);
  const [cacheReadTokens, cacheWriteTokens] = [sum("cacheReadTokens"), sum("cacheWriteTokens")];
  return {
    inputTokens: Math.max(0, sum("inputTokens") - cacheReadTokens - cacheWriteTokens),
    outputTokens: sum("outputTokens"),
    cacheReadTokens,
    cacheWriteTokens,
  };
}
