/**
 * Parses Gemini CLI's `stream-json` output, one JSON object per line. Messages and tool calls between two tool results are
 * one turn. Gemini reports tokens at the end and no cost. Unknown types are ignored, because the format grows. Pure.
 */
import { defined } from "../../core/defined.ts";
import type { Failure } from "../../core/failure.ts";
import { noUsage, type Usage } from "../../core/usage.ts";
import { emptyAnswerReason, errorKind } from "../budget.ts";
import { jsonLines, type Line, objectOf } from "../json-lines.ts";
import type { AgentEnd, AgentStream } from "../run-agent.ts";

interface StreamState {
  turns: number;
  tools: number;
  denials: number;
  /** Whether the next message or tool call starts a turn. */
  waiting: boolean;
  tokens: Pick<Usage, "inputTokens" | "outputTokens" | "cacheReadTokens">;
  answer: string;
  ended: boolean;
  error?: string;
}

/** Error types of denied tool calls. */
const denials: ReadonlySet<unknown> = new Set(["policy_violation", "tool_not_registered", "execution_denied"]);

export function geminiStream(): AgentStream {
  const state: StreamState = { turns: 0, tools: 0, denials: 0, waiting: true, tokens: noUsage, answer: "", ended: false };
  return {
    push: jsonLines((line, text) => (line === undefined ? `${text}\n` : consume(state, line))),
    usage: () => ({ ...noUsage, ...state.tokens, turns: state.turns, toolCalls: state.tools, denials: state.denials }),
    fatalError: () => undefined,
    failure: (end) => failureOf(state, end),
    finalMessage: () => state.answer,
    ended: () => state.ended || state.error !== undefined,
  };
}

function consume(state: StreamState, line: Line): string {
  switch (line["type"]) {
    case "message":
      return line["role"] === "assistant" ? addText(state, String(line["content"] ?? "")) : "";
    case "tool_use":
      startTurn(state);
      state.tools += 1;
      return `→ ${String(line["tool_name"])} ${JSON.stringify(line["parameters"] ?? {}).slice(0, 300)}\n`;
    case "tool_result":
      state.waiting = true;
      return resultOf(state, line);
    case "result":
      state.ended = line["status"] === "success";
      state.tokens = tokensOf(objectOf(line["stats"]));
      if (!state.ended) state.error = String(objectOf(line["error"])["message"] ?? "");
      return state.error === undefined ? "\n" : `! ${state.error}\n`;
    case "error":
      state.error = String(line["message"] ?? "");
      return `! ${state.error}\n`;
    default:
      return "";
  }
}

/** Appends to the answer, which starts again after each tool result. */
function addText(state: StreamState, text: string): string {
  startTurn(state);
  state.answer += text;
  return text;
}

function startTurn(state: StreamState): void {
  if (!state.waiting) return;
  state.waiting = false;
  state.turns += 1;
  state.answer = "";
}

function resultOf(state: StreamState, line: Line): string {
  if (line["status"] !== "error") return "";
  const error = objectOf(line["error"]);
  if (denials.has(error["type"])) state.denials += 1;
  return `← ${String(error["message"] ?? line["output"] ?? "").slice(0, 500)}\n`;
}

function failureOf(state: StreamState, { exitCode, usage, prompt, tail }: AgentEnd): Failure | undefined {
  if (exitCode === 0 && state.ended) {
    const detail = emptyAnswerReason(state.answer, usage, prompt);
    return detail === undefined ? undefined : { reason: "empty-output", detail };
  }
  if (exitCode === 0 && state.error === undefined) return { reason: "empty-output", detail: "the agent exited without reporting a result" };
  // Exit status 53: Gemini's own turn limit, from a user setting.
  if (exitCode === 53) return { reason: "empty-output", detail: "the agent reached its own turn limit without an answer" };
  const text = state.error ?? tail;
  const status = statusOf(exitCode, text);
  const detail = (state.error ?? `it exited with ${exitCode}`).trim().slice(0, 500);
  const kind = exitCode === 41 ? "auth" : [42, 44, 52, 55].includes(exitCode) ? "config" : errorKind(status, text);
  return { reason: "agent-failed", kind, detail, ...defined({ status }), tail };
}

/** The HTTP status from the text or the exit status, which keeps only its low byte: 401 becomes 145. */
function statusOf(exitCode: number, text: string): number | undefined {
  const code = /"code":\s?([45][0-9]{2})\b/.exec(text)?.[1];
  if (code !== undefined) return Number(code);
  if (exitCode >= 144 && exitCode < 255) return exitCode + 256;
  return exitCode === 17 ? 529 : undefined;
}

/** Gemini counts cached tokens as input too. */
function tokensOf(stats: Line): StreamState["tokens"] {
  const count = (name: string) => (typeof stats[name] === "number" ? stats[name] : 0);
  const cached = count("cached");
  return { inputTokens: Math.max(0, count("input_tokens") - cached), outputTokens: count("output_tokens"), cacheReadTokens: cached };
}
