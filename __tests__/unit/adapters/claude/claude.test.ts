/** Claude Code's command line, events and results, as plain values. The events are from version 2.1.330. */
import { describe, expect, test } from "vitest";
import { claudePackage } from "../../../../src/adapters/agent-versions.ts";
import { overBudget } from "../../../../src/adapters/budget.ts";
import { claudeArgs } from "../../../../src/adapters/claude/args.ts";
import { claudeFailure } from "../../../../src/adapters/claude/outcome.ts";
import { type ClaudeResult, claudeStream } from "../../../../src/adapters/claude/stream.ts";
import type { AgentEnd } from "../../../../src/adapters/run-agent.ts";
import { endpointsOf, isLoopback } from "../../../../src/core/agent-endpoint.ts";
import { costText, noUsage, tokensOf, totalUsage, type Usage, usageText } from "../../../../src/core/usage.ts";
import { policyOfStep } from "../../../../src/sandbox/network-policy.ts";
import { layer, step } from "../../../rig/plan-fixtures.ts";

const paths = { root: "/p", inputs: "/wave/inputs", output: "/wave/output", taskFile: "/wave/task.md", home: "/wave/home", temp: "/tmp" };
const claude = (members: Parameters<typeof step>[1] = {}) => step("a", { adapter: { name: "claude", chosenBy: "defaults" }, ...members });

/** The value after an option. */
function option(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at === -1 ? undefined : args[at + 1];
}

describe("the command line", () => {
  test("without rules, allows every tool and ignores the repository's agent configuration", () => {
    const args = claudeArgs(claude(), paths);
    expect(args.slice(0, 5)).toEqual(["-p", "--output-format", "stream-json", "--verbose", "--no-session-persistence"]);
    expect(option(args, "--setting-sources")).toBe("user");
    expect(args).toContain("--strict-mcp-config");
    expect(option(args, "--permission-mode")).toBe("dontAsk");
    expect(option(args, "--tools")).toBe("Read,Glob,Grep,Edit,Write,Bash,WebFetch");
    expect(option(args, "--allowedTools")).toBe("Read,Glob,Grep,Edit(//wave/output/**),Edit(./**),Bash,WebFetch");
    for (const absent of ["--model", "--max-turns", "--max-budget-usd", "--disallowedTools"]) expect(args).not.toContain(absent);
  });

  test("maps permissions to Claude Code's tools and rules, and budgets to its limits", () => {
    const layers = [
      layer("persona", ["file_read:**", "file_write:src/**", "command:git *"], ["network_access:*"]),
      layer("step", ["file_write:src/a/**"], ["file_write:src/a/secret", "file_read:.env", "command:git push*"]),
    ];
    const resources = { timeoutMs: 1000, diskLimitBytes: 1, maxTurns: 7, maxCostUsd: 0.25 };
    const args = claudeArgs(
      claude({ permissions: { layers }, resources, adapter: { name: "claude", chosenBy: "flag", model: "m-1" } }),
      paths,
    );
    expect(option(args, "--tools")).toBe("Read,Glob,Grep,Edit,Write,Bash");
    expect(option(args, "--allowedTools")).toBe("Read,Glob,Grep,Edit(//wave/output/**),Edit(./src/a/**),Bash(git *)");
    expect(option(args, "--disallowedTools")).toBe("Edit(./src/a/secret),Read(./.env),Bash(git push*)");
    expect([option(args, "--model"), option(args, "--max-turns"), option(args, "--max-budget-usd")]).toEqual(["m-1", "7", "0.25"]);
  });

  test("omits Bash if all commands are denied", () => {
    const args = claudeArgs(claude({ permissions: { layers: [layer("step", [], ["command:*"])] } }), paths);
    expect(option(args, "--tools")).not.toContain("Bash");
    expect(option(args, "--allowedTools")).not.toContain("Bash");
  });
});

test("keeps WebFetch only if the network is unrestricted", () => {
  const toolsOf = (allow: readonly string[]) => {
    const args = claudeArgs(claude({ permissions: { layers: [layer("step", allow)] } }), paths);
    return option(args, "--tools")?.split(",").includes("WebFetch");
  };
  expect([["network_access:*"], ["network_access:example.org"]].map(toolsOf)).toEqual([true, false]);
});

describe("the endpoint", () => {
  test("is the only reachable host of a step without network access", () => {
    const closed = { layers: [layer("step", [], ["network_access:*"])] };
    const policy = policyOfStep(claude({ permissions: closed }));
    if (policy.kind !== "hosts") throw new Error(policy.kind);
    expect(["api.anthropic.com:443", "api.anthropic.com:80", "example.org:443"].map((subject) => policy.allows(subject))).toEqual([
      true,
      false,
      false,
    ]);
    expect(policyOfStep(step("a", { permissions: closed }))).toEqual({ kind: "closed" });
    expect(policyOfStep(claude())).toEqual({ kind: "open" });
    const some = policyOfStep(claude({ permissions: { layers: [layer("step", ["network_access:example.org"])] } }));
    if (some.kind !== "hosts") throw new Error(some.kind);
    expect(["api.anthropic.com:443", "example.org:443", "other.org:443"].map((subject) => some.allows(subject))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("is the host and port of `base_url`", () => {
    const at = (baseUrl: string) => endpointsOf({ adapter: { name: "claude", chosenBy: "flag", baseUrl } })[0];
    expect([at("https://gateway.example/x"), at("http://127.0.0.1:8080"), at("http://h/"), at("nonsense")]).toEqual([
      "gateway.example:443",
      "127.0.0.1:8080",
      "h:80",
      undefined,
    ]);
    expect(["127.0.0.1:1", "localhost:1", "[::1]:1", "127.example.org:1", "10.0.0.1:1"].map(isLoopback)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

const assistant = (id: string, content: unknown, usage: unknown, model = "m") => ({
  type: "assistant",
  message: { id, model, content, usage },
});
const lines = (...events: unknown[]) => events.map((event) => `${JSON.stringify(event)}\n`).join("");

describe("the stream", () => {
  const events = lines(
    { type: "system", subtype: "init", claude_code_version: "2.1.330" },
    assistant("m1", [{ type: "text", text: "Looking." }], { input_tokens: 100, output_tokens: 2, cache_read_input_tokens: 30 }),
    // A continuation of the same message: its usage is cumulative and counts once.
    assistant("m1", [{ type: "tool_use", id: "t1", name: "Read", input: { file_path: "a" } }], {
      ...{ input_tokens: 100, output_tokens: 9, cache_read_input_tokens: 30, cache_creation_input_tokens: 5 },
    }),
    { type: "user", message: { content: [{ type: "tool_result", tool_use_id: "t1", content: "no such file", is_error: true }] } },
    { type: "system", subtype: "api_retry", error_status: 529 },
    { type: "something_new", value: 1 },
    assistant("m2", [{ type: "text", text: "Done." }], { input_tokens: 150, output_tokens: 4 }),
  );
  const result = lines({
    ...{ type: "result", subtype: "success", is_error: false, result: "Done.", num_turns: 2, total_cost_usd: 0.0123 },
    ...{ usage: { input_tokens: 250, output_tokens: 13, cache_read_input_tokens: 30, cache_creation_input_tokens: 5 } },
    permission_denials: [{ tool_name: "Write", tool_input: { file_path: "/w/a.txt", content: "x" } }],
  });

  test.each([1, 7, 100_000])("counts usage and logs readable text, in chunks of %d bytes", (size) => {
    const stream = claudeStream();
    let shown = "";
    const push = (text: string) => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += size) shown += stream.push(bytes.subarray(at, at + size));
    };
    push(events);
    const counted: Usage = {
      turns: 2,
      toolCalls: 1,
      denials: 0,
      inputTokens: 250,
      outputTokens: 13,
      cacheReadTokens: 30,
      cacheWriteTokens: 5,
    };
    expect([stream.usage(), stream.result(), stream.version()]).toEqual([counted, undefined, "2.1.330"]);
    push(result);
    expect(stream.usage()).toEqual({ ...counted, denials: 1, costUsd: 0.0123 });
    expect(stream.result()).toEqual({
      isError: false,
      subtype: "success",
      text: "Done.",
      deniedCalls: [{ tool: "Write", argument: "/w/a.txt" }],
      errors: [],
    });
    expect(shown).toBe('Looking.\n→ Read {"file_path":"a"}\n← no such file\n! the model did not answer (HTTP 529); retrying\nDone.\n');
  });

  test("logs lines that are not events unchanged, and does not count the agent's own messages as turns", () => {
    const stream = claudeStream();
    expect(stream.push(Buffer.from("Segmentation fault\n{broken\n"))).toBe("Segmentation fault\n{broken\n");
    stream.push(Buffer.from(lines(assistant("e", [{ type: "text", text: "API Error" }], { output_tokens: 0 }, "<synthetic>"))));
    expect(stream.usage()).toEqual(noUsage);
  });
});

describe("the end", () => {
  const writes = { capability: "file_write", pattern: "src/**", text: "file_write:src/**" } as const;
  const permissions = { layers: [{ source: "step", allow: [writes], deny: [] }] } as const;
  const usage = { ...noUsage, turns: 2, toolCalls: 1 };
  const fine = { isError: false, subtype: "success", text: "Done.", deniedCalls: [], errors: [] };
  const end = (members: Partial<AgentEnd> & { result?: ClaudeResult | undefined }) => {
    const { result, ...rest } = { result: fine, ...members };
    const known = {
      exitCode: 0,
      usage,
      prompt: "Do it.",
      resources: { timeoutMs: 1, diskLimitBytes: 1 },
      tail: "tail",
      root: "/w",
      step: { permissions },
      ...rest,
    };
    return claudeFailure(known, result);
  };
  const error = (members: object, more: Partial<AgentEnd> = {}) =>
    end({ exitCode: 1, result: { ...fine, isError: true, ...members }, ...more });

  test("succeeds with an answer", () => expect(end({})).toBeUndefined());

  test.each([
    ["no result", { result: undefined }, "without reporting a result"],
    ["no call of the model", { usage: noUsage }, "never called"],
    ["an empty answer", { result: { ...fine, text: " \n" }, usage: { ...usage, toolCalls: 0 } }, "empty"],
    ["an echo", { result: { ...fine, text: "Do it." } }, "repeats the prompt"],
    ["nothing but denials", { usage: { ...usage, denials: 1 } }, "its only tool call was denied"],
    [
      "a denied write, with its path and the rule",
      { usage: { ...usage, denials: 1 }, result: { ...fine, deniedCalls: [{ tool: "Write", argument: "/w/package.json" }] } },
      "its only tool call (Write package.json) was denied by `file_write:src/**`",
    ],
    [
      "several denied calls",
      {
        usage: { ...usage, toolCalls: 2, denials: 2 },
        result: {
          ...fine,
          deniedCalls: [
            { tool: "Write", argument: "/w/a" },
            { tool: "Bash", argument: "ls" },
          ],
        },
      },
      "all of its 2 tool calls (Write a, Bash ls) were denied by `file_write:src/**`",
    ],
  ] as const)("is empty output: %s", (_, members, detail) => {
    expect(end(members)).toEqual({ reason: "empty-output", detail: expect.stringContaining(detail) });
  });

  test.each([
    [401, "auth"],
    [403, "auth"],
    [429, "rate-limit"],
    [529, "rate-limit"],
    [500, "network"],
    [404, "config"],
  ])("HTTP %d is a failure of kind %s", (status, kind) => {
    expect(error({ status, text: `API Error: ${status}` })).toEqual({
      reason: "agent-failed",
      kind,
      status,
      detail: `API Error: ${status}`,
      tail: "tail",
    });
  });

  test.each([
    ["API Error: Connection refused (ECONNREFUSED)", "network"],
    ["Invalid API key · Please run /login", "auth"],
    ["something else", "crash"],
  ])("classifies an error without a status by its text: %s", (text, kind) => {
    expect(error({ text })).toMatchObject({ reason: "agent-failed", kind, detail: text });
    expect(end({ exitCode: 1, result: undefined, tail: text })).toMatchObject({ reason: "agent-failed", kind });
  });

  test("reports Claude Code's limits as exceeded budgets, and a limit that was not set as empty output", () => {
    const resources = { timeoutMs: 1, diskLimitBytes: 1, maxTurns: 2, maxCostUsd: 0.1 };
    expect(error({ subtype: "error_max_turns" }, { resources })).toEqual({ reason: "budget-exceeded", what: "turns", limit: 2, used: 2 });
    expect(error({ subtype: "error_max_budget_usd" }, { resources, usage: { ...usage, costUsd: 0.2 } })).toMatchObject({
      what: "cost",
      limit: 0.1,
      used: 0.2,
    });
    expect(error({ subtype: "error_max_turns" })).toMatchObject({ reason: "empty-output" });
  });

  test("compares budgets with the usage so far", () => {
    const limits = { timeoutMs: 1, diskLimitBytes: 1, maxTurns: 2, maxTokens: 100, maxCostUsd: 0.5 };
    const used = { ...noUsage, turns: 2, inputTokens: 60, outputTokens: 30, cacheReadTokens: 10, costUsd: 0.5 };
    expect(overBudget(used, limits)).toBeUndefined();
    expect(overBudget({ ...used, cacheWriteTokens: 1 }, limits)).toEqual({
      reason: "budget-exceeded",
      what: "tokens",
      limit: 100,
      used: 101,
    });
    expect(overBudget({ ...used, turns: 3 }, limits)).toMatchObject({ what: "turns", used: 3 });
    expect(overBudget({ ...used, costUsd: 0.51 }, limits)).toMatchObject({ what: "cost", used: 0.51 });
    expect(overBudget({ ...used, turns: 99 }, { timeoutMs: 1, diskLimitBytes: 1 })).toBeUndefined();
  });
});

test("adds up usage and formats it", () => {
  const one = { ...noUsage, turns: 1, inputTokens: 1000, outputTokens: 200, costUsd: 0.0042 };
  const two = { ...noUsage, turns: 2, toolCalls: 3, cacheReadTokens: 34 };
  expect(totalUsage([undefined, one, two])).toEqual({
    ...noUsage,
    turns: 3,
    toolCalls: 3,
    inputTokens: 1000,
    outputTokens: 200,
    cacheReadTokens: 34,
    costUsd: 0.0042,
  });
  expect(totalUsage([undefined])).toBeUndefined();
  expect([tokensOf(two), usageText(one), usageText(two)]).toEqual([34, "1,200 tokens, $0.0042", "34 tokens"]);
  expect([0, 0.5, 1.234, 0.00004, 1e-9].map(costText)).toEqual(["$0.00", "$0.50", "$1.23", "$0.000040", "$0.000000"]);
});

test("finds the program in the package for its system", () => {
  const place = (platform: NodeJS.Platform, arch: string, musl = false) => claudePackage.program({ platform, arch, musl });
  expect([place("linux", "x64"), place("linux", "arm64", true), place("win32", "x64")]).toEqual([
    "node_modules/@anthropic-ai/claude-code-linux-x64/claude",
    "node_modules/@anthropic-ai/claude-code-linux-arm64-musl/claude",
    "node_modules/@anthropic-ai/claude-code-win32-x64/claude.exe",
  ]);
});
