/**
 * Parses the output of OpenCode's `run --format json`, one JSON object per line. Each step is one turn and reports its tokens
 * and, for models that OpenCode knows, its cost. Unknown types are ignored, because the format grows. Pure.
 */
import type { Failure } from "../../core/failure.ts";
import { noUsage, type Usage } from "../../core/usage.ts";
import { emptyAnswerReason, errorKind } from "../budget.ts";
import { jsonLines, type Line, objectOf } from "../json-lines.ts";
import type { AgentEnd, AgentStream } from "../run-agent.ts";

interface StreamState {
  turns: number;
  tools: number;
  denials: number;
  tokens: Pick<Usage, "inputTokens" | "outputTokens" | "cacheReadTokens" | "cacheWriteTokens">;
  cost: number;
  /** The text of the current turn. */
  answer: string;
  /** Why the last turn ended. */
  reason?: string;
  error?: { readonly text: string; readonly status?: number };
}

export function opencodeStream(): AgentStream {
  const state: StreamState = { turns: 0, tools: 0, denials: 0, tokens: noUsage, cost: 0, answer: "" };
  return {
    push: jsonLines((line, text) => (line === undefined ? `${text}\n` : consume(state, line))),
    usage: () => ({
      ...noUsage,
      ...state.tokens,
      turns: state.turns,
      toolCalls: state.tools,
      denials: state.denials,
      // OpenCode reports 0 for models without a known price.
      ...(state.cost > 0 ? { costUsd: state.cost } : {}),
    }),
    fatalError: () => undefined,
    failure: (end) => failureOf(state, end),
    finalMessage: () => state.answer,
  };
}

function consume(state: StreamState, line: Line): string {
  const part = objectOf(line["part"]);
  switch (line["type"]) {
    case "step_start":
      state.turns += 1;
      state.answer = "";
      return "";
    case "text":
      state.answer += String(part["text"] ?? "");
      return `${String(part["text"] ?? "")}\n`;
    case "tool_use":
      return toolUsed(state, String(part["tool"]), objectOf(part["state"]));
    case "step_finish":
      finished(state, part);
      return "";
    case "error":
      return trouble(state, objectOf(line["error"]));
    default:
      return "";
  }
}

function toolUsed(state: StreamState, tool: string, call: Line): string {
  state.tools += 1;
  const line = `→ ${tool} ${JSON.stringify(call["input"] ?? {}).slice(0, 300)}\n`;
  if (call["status"] !== "error") return line;
  const error = String(call["error"] ?? "");
  if (/rule which prevents you|rejected permission|permission (?:was )?denied by/i.test(error)) state.denials += 1;
  return `${line}← ${error.slice(0, 300)}\n`;
}

function finished(state: StreamState, part: Line): void {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = state.tokens;
  const tokens = objectOf(part["tokens"]);
  const cache = objectOf(tokens["cache"]);
  const count = (value: unknown) => (typeof value === "number" ? value : 0);
  state.tokens = {
    inputTokens: inputTokens + count(tokens["input"]),
    // Reasoning tokens are output.
    outputTokens: outputTokens + count(tokens["output"]) + count(tokens["reasoning"]),
    cacheReadTokens: cacheReadTokens + count(cache["read"]),
    cacheWriteTokens: cacheWriteTokens + count(cache["write"]),
  };
  state.cost += count(part["cost"]);
  state.reason = String(part["reason"] ?? "");
}

function trouble(state: StreamState, error: Line): string {
  const details = objectOf(error["data"]);
  const text = String(details["message"] ?? error["name"] ?? "");
  const status = details["statusCode"];
  state.error = { text, ...(typeof status === "number" ? { status } : {}) };
  return `! ${text}\n`;
}

function failureOf(state: StreamState, { exitCode, usage, prompt, tail }: AgentEnd): Failure | undefined {
  const { error } = state;
  if (error === undefined && exitCode === 0) {
    if (state.reason === undefined) return { reason: "empty-output", detail: "the agent exited without reporting a result" };
    const detail = emptyAnswerReason(state.answer, usage, prompt);
    return detail === undefined ? undefined : { reason: "empty-output", detail };
  }
  const text = error?.text ?? tail;
  const detail = (error?.text ?? `it exited with ${exitCode}`).trim().slice(0, 500);
  const status = error?.status === undefined ? {} : { status: error.status };
  return { reason: "agent-failed", kind: errorKind(error?.status, text), detail, ...status, tail };
}
