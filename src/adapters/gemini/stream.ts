/**
 * Gemini CLI's `stream-json`: one JSON object a line. An answer of the model is what comes between what it was sent and the next result of a tool. Tokens are
 * told at the end, cost never. Types that are not known are passed over: the format grows. Pure.
 */
import { defined } from "../../core/defined.ts";
import type { Failure } from "../../core/failure.ts";
import { noUsage, type Usage } from "../../core/usage.ts";
import { emptyOutputReason, troubleOf } from "../budget.ts";
import { jsonLines, type Line, objectOf } from "../json-lines.ts";
import type { AgentEnd, AgentStream } from "../run-agent.ts";

interface Heard {
  turns: number;
  tools: number;
  denials: number;
  /** The model's next word begins an answer. */
  waiting: boolean;
  tokens: Pick<Usage, "inputTokens" | "outputTokens" | "cacheReadTokens">;
  answer: string;
  ended: boolean;
  error?: string;
}

/** What a tool's error is called when it was not allowed. */
const denials: ReadonlySet<unknown> = new Set(["policy_violation", "tool_not_registered", "execution_denied"]);

export function geminiStream(): AgentStream {
  const heard: Heard = { turns: 0, tools: 0, denials: 0, waiting: true, tokens: noUsage, answer: "", ended: false };
  return {
    push: jsonLines((line, text) => (line === undefined ? `${text}\n` : take(heard, line))),
    usage: () => ({ ...noUsage, ...heard.tokens, turns: heard.turns, toolCalls: heard.tools, denials: heard.denials }),
    fatalError: () => undefined,
    failure: (end) => failureOf(heard, end),
    finalMessage: () => heard.answer,
    ended: () => heard.ended || heard.error !== undefined,
  };
}

function take(heard: Heard, line: Line): string {
  switch (line["type"]) {
    case "message":
      return line["role"] === "assistant" ? said(heard, String(line["content"] ?? "")) : "";
    case "tool_use":
      answered(heard);
      heard.tools += 1;
      return `→ ${String(line["tool_name"])} ${JSON.stringify(line["parameters"] ?? {}).slice(0, 300)}\n`;
    case "tool_result":
      heard.waiting = true;
      return resultOf(heard, line);
    case "result":
      heard.ended = line["status"] === "success";
      heard.tokens = tokensOf(objectOf(line["stats"]));
      if (!heard.ended) heard.error = String(objectOf(line["error"])["message"] ?? "");
      return heard.error === undefined ? "\n" : `! ${heard.error}\n`;
    case "error":
      heard.error = String(line["message"] ?? "");
      return `! ${heard.error}\n`;
    default:
      return "";
  }
}

/** Its last answer is what it says after the last tool. */
function said(heard: Heard, text: string): string {
  answered(heard);
  heard.answer += text;
  return text;
}

function answered(heard: Heard): void {
  if (!heard.waiting) return;
  heard.waiting = false;
  heard.turns += 1;
  heard.answer = "";
}

function resultOf(heard: Heard, line: Line): string {
  if (line["status"] !== "error") return "";
  const error = objectOf(line["error"]);
  if (denials.has(error["type"])) heard.denials += 1;
  return `← ${String(error["message"] ?? line["output"] ?? "").slice(0, 500)}\n`;
}

function failureOf(heard: Heard, { exitCode, usage, prompt, tail }: AgentEnd): Failure | undefined {
  if (exitCode === 0 && heard.ended) {
    const detail = emptyOutputReason(heard.answer, usage, prompt);
    return detail === undefined ? undefined : { reason: "empty-output", detail };
  }
  if (exitCode === 0 && heard.error === undefined)
    return { reason: "empty-output", detail: "the agent ended without a word of what it did" };
  // Its own cap of turns, by a setting of somebody's.
  if (exitCode === 53) return { reason: "empty-output", detail: "the agent reached its cap of turns without an answer" };
  const args = heard.error ?? tail;
  const status = statusOf(exitCode, args);
  const detail = (heard.error ?? `it exited with ${exitCode}`).trim().slice(0, 500);
  const kind = exitCode === 41 ? "auth" : [42, 44, 52, 55].includes(exitCode) ? "config" : troubleOf(status, args);
  return { reason: "agent-failed", kind, detail, ...defined({ status }), tail };
}

/** It says HTTP's status in its words, or exits with it: of 401, a byte is left that is 145. */
function statusOf(exitCode: number, args: string): number | undefined {
  const told = /"code":\s?([45][0-9]{2})\b/.exec(args)?.[1];
  if (told !== undefined) return Number(told);
  if (exitCode >= 144 && exitCode < 255) return exitCode + 256;
  return exitCode === 17 ? 529 : undefined;
}

/** What it read from its cache is a part of what it read. */
function tokensOf(stats: Line): Heard["tokens"] {
  const count = (name: string) => (typeof stats[name] === "number" ? stats[name] : 0);
  const cached = count("cached");
  return { inputTokens: Math.max(0, count("input_tokens") - cached), outputTokens: count("output_tokens"), cacheReadTokens: cached };
}
