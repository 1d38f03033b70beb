/**
 * OpenCode's `run --format json`: one JSON object a line. Each answer of the model is a step, which tells its tokens, and its cost where OpenCode knows the model.
 * Types that are not known are passed over: the format grows. Pure.
 */
import type { Failure } from "../../core/failure.ts";
import { noUsage } from "../../core/usage.ts";
import { emptyOutputReason, troubleOf } from "../budget.ts";
import { jsonLines, type Line, objectOf } from "../json-lines.ts";
import type { AgentEnd, AgentStream } from "../run-agent.ts";

interface Heard {
  turns: number;
  tools: number;
  denials: number;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  cost: number;
  /** The texts of the answer that comes now. */
  answer: string;
  /** Why the last answer ended. */
  reason?: string;
  error?: { readonly text: string; readonly status?: number };
}

export function opencodeStream(): AgentStream {
  const heard: Heard = { turns: 0, tools: 0, denials: 0, input: 0, output: 0, cacheRead: 0, cacheWrite: 0, cost: 0, answer: "" };
  return {
    push: jsonLines((line, text) => (line === undefined ? `${text}\n` : take(heard, line))),
    usage: () => ({
      ...noUsage,
      turns: heard.turns,
      toolCalls: heard.tools,
      denials: heard.denials,
      inputTokens: heard.input,
      outputTokens: heard.output,
      cacheReadTokens: heard.cacheRead,
      cacheWriteTokens: heard.cacheWrite,
      // It says 0 of models whose price it does not know.
      ...(heard.cost > 0 ? { costUsd: heard.cost } : {}),
    }),
    fatalError: () => undefined,
    failure: (end) => failureOf(heard, end),
    finalMessage: () => heard.answer,
  };
}

function take(heard: Heard, line: Line): string {
  const part = objectOf(line["part"]);
  switch (line["type"]) {
    case "step_start":
      heard.turns += 1;
      heard.answer = "";
      return "";
    case "text":
      heard.answer += String(part["text"] ?? "");
      return `${String(part["text"] ?? "")}\n`;
    case "tool_use":
      return toolUsed(heard, String(part["tool"]), objectOf(part["state"]));
    case "step_finish":
      finished(heard, part);
      return "";
    case "error":
      return trouble(heard, objectOf(line["error"]));
    default:
      return "";
  }
}

function toolUsed(heard: Heard, tool: string, state: Line): string {
  heard.tools += 1;
  const called = `→ ${tool} ${JSON.stringify(state["input"] ?? {}).slice(0, 300)}\n`;
  if (state["status"] !== "error") return called;
  const error = String(state["error"] ?? "");
  if (/rule which prevents you|rejected permission|permission (?:was )?denied by/i.test(error)) heard.denials += 1;
  return `${called}← ${error.slice(0, 300)}\n`;
}

function finished(heard: Heard, part: Line): void {
  const tokens = objectOf(part["tokens"]);
  const cache = objectOf(tokens["cache"]);
  const count = (value: unknown) => (typeof value === "number" ? value : 0);
  heard.input += count(tokens["input"]);
  // What it thought is written, too.
  heard.output += count(tokens["output"]) + count(tokens["reasoning"]);
  heard.cacheRead += count(cache["read"]);
  heard.cacheWrite += count(cache["write"]);
  heard.cost += count(part["cost"]);
  heard.reason = String(part["reason"] ?? "");
}

function trouble(heard: Heard, error: Line): string {
  const details = objectOf(error["data"]);
  const text = String(details["message"] ?? error["name"] ?? "");
  const status = details["statusCode"];
  heard.error = { text, ...(typeof status === "number" ? { status } : {}) };
  return `! ${text}\n`;
}

function failureOf(heard: Heard, { exitCode, usage, prompt, tail }: AgentEnd): Failure | undefined {
  const { error } = heard;
  if (error === undefined && exitCode === 0) {
    if (heard.reason === undefined) return { reason: "empty-output", detail: "the agent ended without a word of what it did" };
    const detail = emptyOutputReason(heard.answer, usage, prompt);
    return detail === undefined ? undefined : { reason: "empty-output", detail };
  }
  const text = error?.text ?? tail;
  const detail = (error?.text ?? `it exited with ${exitCode}`).trim().slice(0, 500);
  const status = error?.status === undefined ? {} : { status: error.status };
  return { reason: "agent-failed", kind: troubleOf(error?.status, text), detail, ...status, tail };
}
