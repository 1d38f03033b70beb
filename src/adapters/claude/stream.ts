/**
 * Claude Code's `stream-json`: one JSON object a line. Counts what it tells while it comes, and gives lines for people. Lines that are no JSON, and
 * types that are not known, are passed over: the format grows. Pure.
 */
import { defined } from "../../core/defined.ts";
import { noUsage, type Usage } from "../../core/usage.ts";
import { jsonLines, type Line, listOf, objectOf } from "../json-lines.ts";

/** How the agent said it ended. */
export interface ClaudeResult {
  readonly isError: boolean;
  readonly subtype: string;
  readonly text: string;
  /** Of HTTP, where the model's API refused. */
  readonly status?: number;
  readonly deniedCalls: readonly { readonly tool: string; readonly argument?: string }[];
  readonly errors: readonly string[];
}

export interface ClaudeStream {
  /** Takes bytes of standard output; gives what a log should show of them. */
  push(chunk: Uint8Array): string;
  usage(): Usage;
  /** Nothing while it has not ended, or when it ended without a word. */
  result(): ClaudeResult | undefined;
  /** The version that the agent says it is. */
  version(): string | undefined;
}

interface Heard {
  /** Message id → what it used: a message comes in several lines, each with the sum so far. */
  readonly messages: Map<string, Usage>;
  readonly toolCalls: Set<string>;
  totals?: Usage;
  result?: ClaudeResult;
  version?: string;
}

export function claudeStream(): ClaudeStream {
  const heard: Heard = { messages: new Map(), toolCalls: new Set() };
  return {
    push: jsonLines((line, text) => (line === undefined ? `${text}\n` : take(heard, line))),
    usage: () => heard.totals ?? counted(heard),
    result: () => heard.result,
    version: () => heard.version,
  };
}

function counted({ messages, toolCalls }: Heard): Usage {
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

function take(heard: Heard, line: Line): string {
  switch (line["type"]) {
    case "system":
      return system(heard, line);
    case "assistant":
      return assistant(heard, objectOf(line["message"]));
    case "user":
      return toolResults(objectOf(line["message"]));
    case "result":
      end(heard, line);
      return "";
    default:
      return "";
  }
}

function system(heard: Heard, line: Line): string {
  if (line["subtype"] === "init" && typeof line["claude_code_version"] === "string") heard.version = line["claude_code_version"];
  if (line["subtype"] !== "api_retry") return "";
  const status = line["error_status"];
  return `! the model did not answer${typeof status === "number" ? ` (HTTP ${status})` : ""}; tried again\n`;
}

function assistant(heard: Heard, message: Line): string {
  const id = message["id"];
  // What the agent says in the model's place, of an error for one, is no answer.
  if (typeof id === "string" && message["model"] !== "<synthetic>") heard.messages.set(id, tokens(objectOf(message["usage"])));
  return listOf(message["content"])
    .map((block) => {
      if (block["type"] === "text" && typeof block["text"] === "string") return `${block["text"]}\n`;
      if (block["type"] !== "tool_use") return "";
      if (typeof block["id"] === "string") heard.toolCalls.add(block["id"]);
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

function end(heard: Heard, line: Line): void {
  const deniedCalls = listOf(line["permission_denials"]).map((call) => {
    const input = objectOf(call["tool_input"]);
    const argument = [input["file_path"], input["notebook_path"], input["path"], input["command"], input["pattern"]].find(
      (one) => typeof one === "string",
    );
    return { tool: String(call["tool_name"] ?? "a tool"), ...defined({ argument }) };
  });
  const cost = line["total_cost_usd"];
  const before = counted(heard);
  heard.totals = {
    ...before,
    ...(line["usage"] === undefined ? {} : tokens(objectOf(line["usage"]))),
    turns: before.turns,
    toolCalls: before.toolCalls,
    denials: deniedCalls.length,
    ...(typeof cost === "number" ? { costUsd: cost } : {}),
  };
  heard.result = {
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
