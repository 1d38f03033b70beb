/**
 * Parses the output of Codex's `exec --json`, one JSON object per line. Codex does not report turns, so each message and each
 * action counts as one. It reports tokens at the end and no cost. Unknown types are ignored, because the format grows. Pure.
 */
import { defined } from "../../core/defined.ts";
import type { Failure } from "../../core/failure.ts";
import { noUsage, type Usage } from "../../core/usage.ts";
import { emptyAnswerReason, errorKind } from "../budget.ts";
import { jsonLines, type Line, objectOf } from "../json-lines.ts";
import type { AgentEnd, AgentStream } from "../run-agent.ts";

interface StreamState {
  readonly actions: Set<string>;
  readonly messages: Set<string>;
  tokens: Pick<Usage, "inputTokens" | "outputTokens" | "cacheReadTokens" | "cacheWriteTokens">;
  answer?: string;
  error?: string;
  ended: boolean;
  /** Reports that Codex waits for a network. */
  waits: number;
}

/** Codex waits for a network forever. After this many reports, the attempt ends. */
const maxWaits = 3;

const actions = new Set(["command_execution", "file_change", "mcp_tool_call", "web_search"]);

export function codexStream(): AgentStream {
  const state: StreamState = { actions: new Set(), messages: new Set(), tokens: noUsage, ended: false, waits: 0 };
  return {
    push: jsonLines((line, text) => (line === undefined ? `${text}\n` : consume(state, line))),
    usage: () => ({ ...noUsage, ...state.tokens, turns: state.actions.size + state.messages.size, toolCalls: state.actions.size }),
    fatalError: () =>
      state.waits < maxWaits
        ? undefined
        : { reason: "agent-failed", kind: "network", detail: state.error ?? "the agent waits for a network connection", tail: "" },
    failure: (end) => failureOf(state, end),
    finalMessage: () => state.answer,
  };
}

function consume(state: StreamState, line: Line): string {
  switch (line["type"]) {
    case "item.started":
      return started(objectOf(line["item"]));
    case "item.completed":
      return completed(state, objectOf(line["item"]));
    case "turn.completed":
      state.ended = true;
      state.tokens = tokensOf(objectOf(line["usage"]));
      return "";
    case "turn.failed":
      state.error = String(objectOf(line["error"])["message"] ?? "");
      return "";
    case "error":
      return trouble(state, String(line["message"] ?? ""));
    default:
      return "";
  }
}

function started(item: Line): string {
  return item["type"] === "command_execution" ? `→ ${String(item["command"]).slice(0, 300)}\n` : "";
}

function completed(state: StreamState, item: Line): string {
  const [id, type] = [String(item["id"]), String(item["type"])];
  if (type === "agent_message") {
    state.messages.add(id);
    state.answer = String(item["text"] ?? "");
    return `${state.answer}\n`;
  }
  if (!actions.has(type)) return "";
  state.actions.add(id);
  const code = item["exit_code"];
  if (type === "file_change") return `→ changed ${JSON.stringify(item["changes"] ?? []).slice(0, 300)}\n`;
  return typeof code === "number" && code !== 0 ? `← exit ${code}: ${String(item["aggregated_output"] ?? "").slice(-500)}\n` : "";
}

function trouble(state: StreamState, message: string): string {
  state.error = message;
  if (/waiting for network/i.test(message)) state.waits += 1;
  return `! ${message}\n`;
}

function failureOf(state: StreamState, { exitCode, usage, prompt, tail }: AgentEnd, answer = state.answer ?? ""): Failure | undefined {
  if (state.ended && exitCode === 0) {
    const detail = emptyAnswerReason(answer, usage, prompt);
    return detail === undefined ? undefined : { reason: "empty-output", detail };
  }
  if (exitCode === 0 && state.error === undefined) return { reason: "empty-output", detail: "the agent exited without reporting a result" };
  const text = state.error ?? tail;
  const status = /\bstatus:? ([45][0-9]{2})\b/.exec(text)?.[1];
  const number = status === undefined ? undefined : Number(status);
  const detail = (state.error ?? `it exited with ${exitCode}`).trim().slice(0, 500);
  return { reason: "agent-failed", kind: errorKind(number, text), detail, ...defined({ status: number }), tail };
}

/** Codex counts cached tokens as input too. */
function tokensOf(usage: Line): StreamState["tokens"] {
  const count = (name: string) => (typeof usage[name] === "number" ? usage[name] : 0);
  const cached = count("cached_input_tokens");
  return {
    inputTokens: Math.max(0, count("input_tokens") - cached),
    outputTokens: count("output_tokens"),
    cacheReadTokens: cached,
    cacheWriteTokens: count("cache_write_input_tokens"),
  };
}
