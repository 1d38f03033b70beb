/**
 * Codex's `exec --json`: one JSON object a line. It does not tell the model's answers apart: each message and each action counts as a turn. Tokens are told at
 * the end, cost never. Types that are not known are passed over: the format grows. Pure.
 */
import { defined } from "../../core/defined.ts";
import type { Failure } from "../../core/failure.ts";
import { noUsage, type Usage } from "../../core/usage.ts";
import { emptyOutputReason, troubleOf } from "../budget.ts";
import { jsonLines, type Line, objectOf } from "../json-lines.ts";
import type { AgentEnd, AgentStream } from "../run-agent.ts";

interface Heard {
  readonly actions: Set<string>;
  readonly messages: Set<string>;
  tokens: Pick<Usage, "inputTokens" | "outputTokens" | "cacheReadTokens" | "cacheWriteTokens">;
  answer?: string;
  error?: string;
  ended: boolean;
  waits: number;
}

/** It waits for a network for ever; so often it is told that there is none. */
const patience = 3;

const actions = new Set(["command_execution", "file_change", "mcp_tool_call", "web_search"]);

export function codexStream(): AgentStream {
  const heard: Heard = { actions: new Set(), messages: new Set(), tokens: noUsage, ended: false, waits: 0 };
  return {
    push: jsonLines((line, text) => (line === undefined ? `${text}\n` : take(heard, line))),
    usage: () => ({ ...noUsage, ...heard.tokens, turns: heard.actions.size + heard.messages.size, toolCalls: heard.actions.size }),
    fatalError: () =>
      heard.waits < patience
        ? undefined
        : { reason: "agent-failed", kind: "network", detail: heard.error ?? "it waits for a network", tail: "" },
    failure: (end) => failureOf(heard, end),
    finalMessage: () => heard.answer,
  };
}

function take(heard: Heard, line: Line): string {
  switch (line["type"]) {
    case "item.started":
      return started(objectOf(line["item"]));
    case "item.completed":
      return completed(heard, objectOf(line["item"]));
    case "turn.completed":
      heard.ended = true;
      heard.tokens = tokensOf(objectOf(line["usage"]));
      return "";
    case "turn.failed":
      heard.error = String(objectOf(line["error"])["message"] ?? "");
      return "";
    case "error":
      return trouble(heard, String(line["message"] ?? ""));
    default:
      return "";
  }
}

function started(item: Line): string {
  return item["type"] === "command_execution" ? `→ ${String(item["command"]).slice(0, 300)}\n` : "";
}

function completed(heard: Heard, item: Line): string {
  const [id, type] = [String(item["id"]), String(item["type"])];
  if (type === "agent_message") {
    heard.messages.add(id);
    heard.answer = String(item["text"] ?? "");
    return `${heard.answer}\n`;
  }
  if (!actions.has(type)) return "";
  heard.actions.add(id);
  const code = item["exit_code"];
  if (type === "file_change") return `→ changed ${JSON.stringify(item["changes"] ?? []).slice(0, 300)}\n`;
  return typeof code === "number" && code !== 0 ? `← exit ${code}: ${String(item["aggregated_output"] ?? "").slice(-500)}\n` : "";
}

function trouble(heard: Heard, message: string): string {
  heard.error = message;
  if (/waiting for network/i.test(message)) heard.waits += 1;
  return `! ${message}\n`;
}

function failureOf(heard: Heard, { exitCode, usage, prompt, tail }: AgentEnd, answer = heard.answer ?? ""): Failure | undefined {
  if (heard.ended && exitCode === 0) {
    const detail = emptyOutputReason(answer, usage, prompt);
    return detail === undefined ? undefined : { reason: "empty-output", detail };
  }
  if (exitCode === 0 && heard.error === undefined)
    return { reason: "empty-output", detail: "the agent ended without a word of what it did" };
  const said = heard.error ?? tail;
  const status = /\bstatus:? ([45][0-9]{2})\b/.exec(said)?.[1];
  const number = status === undefined ? undefined : Number(status);
  const detail = (heard.error ?? `it exited with ${exitCode}`).trim().slice(0, 500);
  return { reason: "agent-failed", kind: troubleOf(number, said), detail, ...defined({ status: number }), tail };
}

/** What it read from its cache is a part of what it read. */
function tokensOf(usage: Line): Heard["tokens"] {
  const count = (name: string) => (typeof usage[name] === "number" ? usage[name] : 0);
  const cached = count("cached_input_tokens");
  return {
    inputTokens: Math.max(0, count("input_tokens") - cached),
    outputTokens: count("output_tokens"),
    cacheReadTokens: cached,
    cacheWriteTokens: count("cache_write_input_tokens"),
  };
}
