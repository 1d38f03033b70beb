/**
 * Copilot CLI's `--output-format json`: one JSON object a line. Tokens are told when it has ended, in a file of their own; cost never. Types that are not known
 * are passed over: the format grows. Pure.
 */
import { defined } from "../../core/defined.ts";
import type { Failure } from "../../core/failure.ts";
import { noUsage, type Usage } from "../../core/usage.ts";
import { emptyOutputReason, troubleOf } from "../budget.ts";
import { jsonLines, type Line, listOf, objectOf } from "../json-lines.ts";
import type { AgentEnd, AgentStream } from "../run-agent.ts";

interface Heard {
  turns: number;
  tools: number;
  denials: number;
  tokens: Pick<Usage, "inputTokens" | "outputTokens" | "cacheReadTokens" | "cacheWriteTokens">;
  answer?: string;
  ended: boolean;
  /** How often it has tried the request that fails now. */
  tries: number;
  error?: { readonly text: string; readonly status?: number };
}

/** It tries six times, for up to a minute. */
const patience = 3;

export function copilotStream(): AgentStream {
  const heard: Heard = { turns: 0, tools: 0, denials: 0, tokens: noUsage, ended: false, tries: 0 };
  return {
    push: jsonLines((line, text) => (line === undefined ? `${text}\n` : take(heard, String(line["type"]), objectOf(line["data"]), line))),
    usage: () => ({ ...noUsage, ...heard.tokens, turns: heard.turns, toolCalls: heard.tools, denials: heard.denials }),
    fatalError: () => (heard.tries < patience ? undefined : troubleWith(heard.error ?? { text: "the model fails" }, "")),
    failure: (end) => failureOf(heard, end),
    finalMessage: () => heard.answer,
    readExitReport: (text) => {
      heard.tokens = tokensOf(text);
    },
  };
}

function take(heard: Heard, type: string, details: Line, line: Line): string {
  switch (type) {
    case "assistant.message":
      return answered(heard, details);
    case "tool.execution_complete":
      return toolEnded(heard, details);
    case "model.call_failure":
      heard.tries += 1;
      heard.error = errorOf(details["errorMessage"], details["statusCode"]);
      return `! ${heard.error.text}\n`;
    case "model.call_final_result":
      if (details["result"] === "success") heard.tries = 0;
      return "";
    case "session.error":
      heard.error = errorOf(details["message"], details["statusCode"] ?? heard.error?.status);
      return `! ${heard.error.text}\n`;
    case "result":
      heard.ended = line["exitCode"] === 0;
      return "";
    default:
      return "";
  }
}

function answered(heard: Heard, details: Line): string {
  heard.turns += 1;
  heard.tries = 0;
  delete heard.error;
  const text = String(details["content"] ?? "");
  heard.answer = text;
  const calls = listOf(details["toolRequests"]);
  heard.tools += calls.length;
  const lines = calls.map((call) => `→ ${String(call["name"])} ${JSON.stringify(call["arguments"] ?? {}).slice(0, 300)}\n`);
  return [...(text.trim() === "" ? [] : [`${text}\n`]), ...lines].join("");
}

function toolEnded(heard: Heard, details: Line): string {
  if (details["success"] !== false) return "";
  const error = objectOf(details["error"]);
  if (error["code"] === "denied") heard.denials += 1;
  return `← ${String(error["message"] ?? "").slice(0, 500)}\n`;
}

function errorOf(message: unknown, status: unknown): NonNullable<Heard["error"]> {
  return {
    text: String(message ?? "")
      .trim()
      .slice(0, 500),
    ...(typeof status === "number" ? { status } : {}),
  };
}

function troubleWith({ text, status }: NonNullable<Heard["error"]>, tail: string): Failure {
  return {
    reason: "agent-failed",
    kind: troubleOf(status, text),
    detail: text,
    ...defined({ status }),
    tail,
  };
}

function failureOf(heard: Heard, { exitCode, usage, prompt, tail }: AgentEnd): Failure | undefined {
  if (heard.error !== undefined) return troubleWith(heard.error, tail);
  if (exitCode !== 0) return { reason: "agent-failed", kind: troubleOf(undefined, tail), detail: `it exited with ${exitCode}`, tail };
  if (!heard.ended || heard.answer === undefined)
    return { reason: "empty-output", detail: "the agent ended without a word of what it did" };
  const detail = emptyOutputReason(heard.answer, usage, prompt);
  return detail === undefined ? undefined : { reason: "empty-output", detail };
}

/** Of all models that it asked. What it read from its cache is a part of what it read. */
function tokensOf(text: string): Heard["tokens"] {
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
