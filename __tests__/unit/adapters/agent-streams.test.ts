/** Parsing the output of Gemini CLI, Copilot CLI and OpenCode, as text. `__tests__/agents` runs the programs themselves. */
import { describe, expect, test } from "vitest";
import { copilotStream } from "../../../src/adapters/copilot/stream.ts";
import { geminiStream } from "../../../src/adapters/gemini/stream.ts";
import { opencodeStream } from "../../../src/adapters/opencode/stream.ts";
import type { AgentEnd, AgentStream } from "../../../src/adapters/run-agent.ts";

const end = (stream: AgentStream, members: Partial<AgentEnd> = {}) =>
  stream.failure({
    exitCode: 0,
    usage: stream.usage(),
    prompt: "the prompt",
    resources: { timeoutMs: 1, diskLimitBytes: 1 },
    tail: "the tail",
    step: { permissions: { layers: [] } },
    root: "/w",
    ...members,
  });

/** Pushes lines, each split in two as a pipe may split it, and returns the log. */
function say(stream: AgentStream, lines: readonly (object | string)[]): string {
  const text = lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");
  const half = Math.floor(text.length / 2);
  return [text.slice(0, half), text.slice(half)].map((part) => stream.push(Buffer.from(part))).join("");
}

describe("Gemini CLI", () => {
  const use = (id: string) => ({ type: "tool_use", tool_name: "run_shell_command", tool_id: id, parameters: { command: "ls" } });
  const done = (id: string) => ({ type: "tool_result", tool_id: id, status: "success", output: "" });
  const refused = (id: string, type: string) => ({ type: "tool_result", tool_id: id, status: "error", error: { type, message: "no" } });
  const message = (content: string) => ({ type: "message", role: "assistant", content, delta: true });
  const result = { type: "result", status: "success", stats: { input_tokens: 820, output_tokens: 21, cached: 20, tool_calls: 1 } };

  test("separates turns by the tool results between them, and keeps the text after the last one", () => {
    const stream = geminiStream();
    const log = say(stream, [
      { type: "init", session_id: "s" },
      { type: "message", role: "user", content: "do" },
      message("I will look."),
      ...[use("1"), use("2"), done("1"), done("2")],
      ...[message("Do"), message("ne."), { type: "of later versions" }, result],
    ]);
    expect(stream.usage()).toMatchObject({ turns: 2, toolCalls: 2, denials: 0, inputTokens: 800, outputTokens: 21, cacheReadTokens: 20 });
    expect([stream.finalMessage(), end(stream), stream.ended?.()]).toEqual(["Done.", undefined, true]);
    expect(log).toBe('I will look.→ run_shell_command {"command":"ls"}\n→ run_shell_command {"command":"ls"}\nDone.\n');
  });

  test.each(["policy_violation", "tool_not_registered"])("counts a denied tool call: %s", (type) => {
    const stream = geminiStream();
    say(stream, [use("1"), refused("1", type), message("I could not."), result]);
    expect(end(stream)).toEqual({ reason: "empty-output", detail: "its only tool call was denied" });
  });

  test.each([
    ["by its text", 1, '[API Error: {"error":{"code":401,"message":"no"}}]', { kind: "auth", status: 401 }],
    ["by what is left of it in its exit status", 173, "[API Error: no]", { kind: "rate-limit", status: 429 }],
    ["500", 244, "[API Error: no]", { kind: "network", status: 500 }],
    ["529, of which less is left", 17, "[API Error: no]", { kind: "rate-limit", status: 529 }],
    ["no key", 41, "Invalid auth method selected.", { kind: "auth" }],
    ["a folder that is not trusted", 55, "not trusted", { kind: "config" }],
  ])("knows HTTP's status: %s", (_, exitCode, text, expected) => {
    const stream = geminiStream();
    say(stream, [{ type: "result", status: "error", error: { type: "unknown", message: text }, stats: {} }]);
    expect(end(stream, { exitCode })).toEqual({ reason: "agent-failed", detail: text, tail: "the tail", ...expected });
  });

  test("is empty output without a result, or the failure that its output names", () => {
    expect(end(geminiStream())).toEqual({ reason: "empty-output", detail: "the agent exited without reporting a result" });
    expect(end(geminiStream(), { exitCode: 53 })).toMatchObject({
      reason: "empty-output",
      detail: expect.stringContaining("turn limit"),
    });
    expect(end(geminiStream(), { exitCode: 1, tail: "fetch failed" })).toMatchObject({ reason: "agent-failed", kind: "network" });
  });
});

describe("OpenCode", () => {
  const step = { type: "step_start", part: {} };
  const tool = (state: object) => ({ type: "tool_use", part: { tool: "bash", state: { input: { command: "ls" }, ...state } } });
  const finish = (reason: string, tokens: object, cost = 0) => ({ type: "step_finish", part: { reason, tokens, cost } });
  const text = (content: string) => ({ type: "text", part: { text: content } });

  test("adds up the tokens of each turn, and the cost if it is known", () => {
    const stream = opencodeStream();
    say(stream, [
      step,
      tool({ status: "completed" }),
      finish("tool-calls", { input: 400, output: 19, reasoning: 5, cache: { read: 7, write: 3 } }, 0.01),
    ]);
    expect(stream.usage()).toEqual({
      ...{ turns: 1, toolCalls: 1, denials: 0, inputTokens: 400, outputTokens: 24, cacheReadTokens: 7, cacheWriteTokens: 3, costUsd: 0.01 },
    });
    say(stream, [step, text("Done "), text("it."), finish("stop", { input: 20, output: 2, cache: {} }), "no JSON"]);
    expect(stream.usage()).toMatchObject({ turns: 2, inputTokens: 420, outputTokens: 26, costUsd: 0.01 });
    expect([stream.finalMessage(), end(stream)]).toEqual(["Done it.", undefined]);
    const free = opencodeStream();
    say(free, [step, text("x"), finish("stop", { input: 1, output: 1 })]);
    expect(free.usage()).not.toHaveProperty("costUsd");
  });

  test("counts calls that the rules denied, and no other errors", () => {
    const stream = opencodeStream();
    const denied = "The user has specified a rule which prevents you from using this specific tool call.";
    say(stream, [step, tool({ status: "error", error: denied }), tool({ status: "error", error: "no such file" })]);
    expect(stream.usage()).toMatchObject({ toolCalls: 2, denials: 1 });
  });

  test("an error keeps its status; an exit without a result is empty output", () => {
    const stream = opencodeStream();
    say(stream, [{ type: "error", error: { name: "APIError", data: { message: "no", statusCode: 429 } } }]);
    expect(end(stream, { exitCode: 1 })).toEqual({
      reason: "agent-failed",
      kind: "rate-limit",
      detail: "no",
      status: 429,
      tail: "the tail",
    });
    expect(end(opencodeStream())).toEqual({ reason: "empty-output", detail: "the agent exited without reporting a result" });
    expect(end(opencodeStream(), { exitCode: 3 })).toMatchObject({ reason: "agent-failed", kind: "crash", detail: "it exited with 3" });
  });
});

describe("Copilot CLI", () => {
  const message = (content: string, calls: readonly object[] = []) => ({
    type: "assistant.message",
    data: { content, toolRequests: calls },
  });
  const call = { name: "bash", arguments: { command: "ls" } };
  const complete = (members: object) => ({ type: "tool.execution_complete", data: { success: true, ...members } });
  const failing = (status: number) => ({ type: "model.call_failure", data: { errorMessage: "no", statusCode: status } });
  const result = (exitCode: number) => ({ type: "result", exitCode });
  const counts = { inputTokens: 820, outputTokens: 21, cacheReadTokens: 15, cacheWriteTokens: 5 };

  test("counts answers and calls as they arrive, and tokens from the report on exit", () => {
    const stream = copilotStream();
    const log = say(stream, [
      message("", [call, call]),
      complete({}),
      message("Done."),
      { type: "session.of_later_versions", data: {} },
      result(0),
    ]);
    stream.readExitReport?.(
      JSON.stringify({ modelMetrics: { m1: { usage: counts }, m2: { usage: { inputTokens: 1, outputTokens: 1 } } } }),
    );
    expect(stream.usage()).toMatchObject({
      turns: 2,
      toolCalls: 2,
      inputTokens: 801,
      outputTokens: 22,
      cacheReadTokens: 15,
      cacheWriteTokens: 5,
    });
    expect([stream.finalMessage(), end(stream)]).toEqual(["Done.", undefined]);
    expect(log).toBe('→ bash {"command":"ls"}\n→ bash {"command":"ls"}\nDone.\n');
  });

  test.each(["", "{", "null", '{"modelMetrics":{"m1":{}}}'])("an invalid exit report counts no tokens: %j", (text) => {
    const stream = copilotStream();
    stream.readExitReport?.(text);
    expect(stream.usage()).toMatchObject({ inputTokens: 0, outputTokens: 0 });
  });

  test("counts denied calls, and no other errors", () => {
    const stream = copilotStream();
    const refused = complete({ success: false, error: { code: "denied", message: "no" } });
    say(stream, [message("", [call, call]), refused, complete({ success: false, error: { code: "failed", message: "no" } })]);
    expect(stream.usage()).toMatchObject({ toolCalls: 2, denials: 1 });
  });

  test("aborts after repeated failures; an answer resets the count", () => {
    const stream = copilotStream();
    say(stream, [failing(500), failing(500)]);
    expect(stream.fatalError()).toBeUndefined();
    say(stream, [message("Done."), { type: "model.call_final_result", data: { result: "success" } }, result(0)]);
    expect(end(stream)).toBeUndefined();
    say(stream, [failing(500), failing(500), failing(500)]);
    expect(stream.fatalError()).toMatchObject({ reason: "agent-failed", kind: "network", status: 500 });
  });

  test("an error keeps its status; an exit without a result is empty output", () => {
    const stream = copilotStream();
    say(stream, [failing(401), { type: "session.error", data: { message: "no key", statusCode: 401 } }, result(1)]);
    expect(end(stream, { exitCode: 1 })).toMatchObject({ reason: "agent-failed", kind: "auth", status: 401, detail: "no key" });
    expect(end(copilotStream())).toEqual({ reason: "empty-output", detail: "the agent exited without reporting a result" });
    expect(end(copilotStream(), { exitCode: 1, tail: "error: unknown option" })).toMatchObject({ kind: "config" });
  });
});
