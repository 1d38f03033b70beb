/**
 * Parses Claude Code's `stream-json` output, one JSON object per line: counts usage and returns text for the log. Other
 * lines are logged unchanged; unknown types are ignored, because the format grows. Pure.
 */
import { defined } from "../../core/defined.ts";
import { noUsage, type Usage } from "../../core/usage.ts";
import { jsonLines, type Line, listOf, objectOf } from "../json-lines.ts";

/** The agent's `result` message. */
export interface ClaudeResult {
  readonly isError: boolean;
  readonly subtype: string;
  readonly text: string;
  /** HTTP status, if the model API returned an error. */
  readonly status?: number;
  readonly deniedCalls: readonly { readonly tool: string; readonly argument?: string }[];
  readonly errors: readonly string[];
}

export interface ClaudeStream {
  /** Parses bytes of standard output; returns the text for the log. */
  push(chunk: Uint8Array): string;
  usage(): Usage;
  /** Undefined until the agent reports its result. */
  result(): ClaudeResult | undefined;
  /** The version that the agent reports. */
  version(): string | undefined;
}

interface StreamState {
  /** Message id → usage. A message spans several lines, each with the sum so far. */
  readonly messages: Map<string, Usage>;
  readonly toolCalls: Set<string>;
  totals?: Usage;
  result?: ClaudeResult;
  version?: string;
}

export function claudeStream(): ClaudeStream {
  const state: StreamState = { messages: new Map(), toolCalls: new Set() };
  return {
    push: jsonLines((line, text) => (line === undefined ? `${text}\n` : consume(state, line))),
    usage: () => state.totals ?? counted(state),
    result: () => state.result,
    version: () => state.version,
  };
}

function counted({ messages, toolCalls }: StreamState): Usage {
  const all = [...messages.values()];
  const sum = (of: (usage: Usage) => number) => all.reduce((total, usage) => total + of(usage), 0);
  return {
    ...noUsage,
    turns: all.length,
    toolCalls: toolCalls.size,
    inputTokens: sum(({ inputTokens }) => inputTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
    cacheReadTokens: sum(({ cacheReadTokens }) => cacheReadTokens),
    cacheWriteTokens: sum(({ cacheWriteTokens }) => cacheWriteTokens),
  };
}

function consume(state: StreamState, line: Line): string {
  switch (line["type"]) {
    case "system":
      return system(state, line);
    case "assistant":
      return assistant(state, objectOf(line["message"]));
    case "user":
      return toolResults(objectOf(line["message"]));
    case "result":
      end(state, line);
      return "";
    default:
      return "";
  }
}

function system(state: StreamState, line: Line): string {
  if (line["subtype"] === "init" && typeof line["claude_code_version"] === "string") state.version = line["claude_code_version"];
  if (line["subtype"] !== "api_retry") return "";
  const status = line["error_status"];
  return `! the model did not answer${typeof status === "number" ? ` (HTTP ${status})` : ""}; retrying\n`;
}

function assistant(state: StreamState, message: Line): string {
  const id = message["id"];
  // The agent's own messages, for example about an error, are not answers of the model.
  if (typeof id === "string" && message["model"] !== "<synthetic>") state.messages.set(id, tokens(objectOf(message["usage"])));
  return listOf(message["content"])
    .map((block) => {
      if (block["type"] === "text" && typeof block["text"] === "string") return `${block["text"]}\n`;
      if (block["type"] !== "tool_use") return "";
      if (typeof block["id"] === "string") state.toolCalls.add(block["id"]);
      return `→ ${String(block["name"])} ${JSON.stringify(block["input"] ?? {}).slice(0, 300)}\n`;
    })
    .join("");
}

function toolResults(message: Line): string {
  return listOf(message["content"])
    .filter((block) => block["type"] === "tool_result" && block["is_error"] === true)
    .map(
      (block) => `← ${String(typeof block["content"] === "string" ? block["content"] : JSON.stringify(block["content"])).slice(0, 500)}\n`,
    )
    .join("");
}

function end(state: StreamState, line: Line): void {
  const deniedCalls = listOf(line["permission_denials"]).map((call) => {
    const input = objectOf(call["tool_input"]);
    const argument = [input["file_path"], input["notebook_path"], input["path"], input["command"], input["pattern"]].find(
      (one) => typeof one === "string",
    );
    return { tool: String(call["tool_name"] ?? "a tool"), ...defined({ argument }) };
  });
  const cost = line["total_cost_usd"];
  const before = counted(state);
  state.totals = {
    ...before,
    ...(line["usage"] === undefined ? {} : tokens(objectOf(line["usage"]))),
    turns: before.turns,
    toolCalls: before.toolCalls,
    denials: deniedCalls.length,
    ...(typeof cost === "number" ? { costUsd: cost } : {}),
  };
  state.result = {
    isError: line["is_error"] === true,
    subtype: String(line["subtype"] ?? ""),
    text: typeof line["result"] === "string" ? line["result"] : "",
    deniedCalls,
    errors: Array.isArray(line["errors"]) ? line["errors"].map(String) : [],
    ...(typeof line["api_error_status"] === "number" ? { status: line["api_error_status"] } : {}),
  };
}

function tokens(usage: Line): Usage {
  const count = (name: string) => (typeof usage[name] === "number" ? usage[name] : 0);
  return {
    ...noUsage,
    inputTokens: count("input_tokens"),
    outputTokens: count("output_tokens"),
    cacheReadTokens: count("cache_read_input_tokens"),
    cacheWriteTokens: count("cache_creation_input_tokens"),
  };
}
