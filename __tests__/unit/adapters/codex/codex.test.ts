/** Codex's command line, events and results, as plain values. The events are from version 0.169.0. */
import { describe, expect, test } from "vitest";
import { codexPackage } from "../../../../src/adapters/agent-versions.ts";
import { codexArgs } from "../../../../src/adapters/codex/args.ts";
import { codexAdapter } from "../../../../src/adapters/codex/codex.ts";
import { codexStream } from "../../../../src/adapters/codex/stream.ts";
import { noUsage } from "../../../../src/core/usage.ts";
import { layer, step } from "../../../rig/plan-fixtures.ts";

const fenced = { root: "/p", inputs: "/wave/inputs", output: "/wave/output", taskFile: "/wave/task.md", home: "/wave/home", temp: "/tmp" };
const open = { ...fenced, inputs: "/s/inputs", output: "/s/output" };
const codex = (members: Parameters<typeof step>[1] = {}) => step("a", { adapter: { name: "codex", chosenBy: "defaults" }, ...members });

const settingsOf = (args: readonly string[]) => args.filter((_, at) => args[at - 1] === "-c");

describe("the command line", () => {
  test("disables Codex's own sandbox inside Wave's, and ignores the user's and the repository's configuration", () => {
    const args = codexArgs(
      codex({ adapter: { name: "codex", chosenBy: "flag", model: "m-1", baseUrl: "http://h:1/v1" }, secrets: ["CODEX_API_KEY"] }),
      fenced,
    );
    expect(args.slice(0, 6)).toEqual(["exec", "--json", "--skip-git-repo-check", "--ignore-user-config", "--ignore-rules", "--ephemeral"]);
    expect(args).toContain("--dangerously-bypass-approvals-and-sandbox");
    expect(args.join(" ")).toContain("-m m-1");
    expect(args.at(-1)).toBe("-");
    expect(settingsOf(args)).toEqual(
      expect.arrayContaining([
        'model_providers.wave={name="wave",base_url="http://h:1/v1",env_key="CODEX_API_KEY",wire_api="responses",request_max_retries=2,stream_max_retries=2}',
        ...["analytics.enabled=false", "web_search=disabled", "project_doc_max_bytes=0"],
      ]),
    );
  });

  test("without Wave's sandbox, limits writes to the workspace and the output, and the network by the rules", () => {
    expect(codexArgs(codex(), open)).toEqual(expect.arrayContaining(["--sandbox", "workspace-write"]));
    expect(settingsOf(codexArgs(codex(), open)).slice(0, 2)).toEqual([
      'sandbox_workspace_write.writable_roots=["/s/output"]',
      "sandbox_workspace_write.network_access=true",
    ]);
    const closed = codexArgs(codex({ permissions: { layers: [layer("step", [], ["network_access:*"])] } }), open);
    expect(settingsOf(closed)[1]).toBe("sandbox_workspace_write.network_access=false");
    expect(closed).not.toContain("--dangerously-bypass-approvals-and-sandbox");
  });
});

const item = (type: string, id: string, more: object) => ({ type: "item.completed", item: { id, type, ...more } });
const lines = (...events: unknown[]) => Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(""));

describe("the stream", () => {
  test("counts actions and messages as they arrive and tokens at the end, and logs readable text", () => {
    const stream = codexStream();
    const shown = stream.push(
      lines(
        { type: "thread.started", thread_id: "t" },
        item("error", "0", { message: "Model metadata not found" }),
        { type: "item.started", item: { id: "1", type: "command_execution", command: "make" } },
        item("command_execution", "1", { command: "make", exit_code: 2, aggregated_output: "no rule" }),
        item("file_change", "2", { changes: [{ path: "a", kind: "add" }] }),
        item("agent_message", "3", { text: "Done." }),
        { type: "something_new" },
      ),
    );
    expect(shown).toBe('→ make\n← exit 2: no rule\n→ changed [{"path":"a","kind":"add"}]\nDone.\n');
    expect(stream.usage()).toEqual({ ...noUsage, turns: 3, toolCalls: 2 });
    stream.push(
      lines({
        type: "turn.completed",
        usage: { input_tokens: 250, cached_input_tokens: 50, cache_write_input_tokens: 5, output_tokens: 16 },
      }),
    );
    expect(stream.usage()).toEqual({
      ...noUsage,
      turns: 3,
      toolCalls: 2,
      inputTokens: 200,
      cacheReadTokens: 50,
      cacheWriteTokens: 5,
      outputTokens: 16,
    });
    expect(stream.finalMessage()).toBe("Done.");
  });
});

describe("the end", () => {
  const end = {
    usage: { ...noUsage, turns: 1 },
    prompt: "Do it.",
    resources: { timeoutMs: 1, diskLimitBytes: 1 },
    tail: "tail",
    step: { permissions: { layers: [] } },
    root: "/w",
  };
  const judged = (exitCode: number, ...events: unknown[]) => {
    const stream = codexStream();
    stream.push(lines(...events));
    return stream.failure({ ...end, exitCode, usage: stream.usage() });
  };
  const done = { type: "turn.completed", usage: {} };

  test("succeeds with an answer, and is empty output without one", () => {
    expect(judged(0, item("agent_message", "1", { text: "Done." }), done)).toBeUndefined();
    expect(judged(0, item("agent_message", "1", { text: "" }), done)).toMatchObject({
      reason: "empty-output",
      detail: "the answer is empty",
    });
    expect(judged(0, done)).toMatchObject({ reason: "empty-output", detail: "the model was never called" });
    expect(judged(0, item("agent_message", "1", { text: "Do it." }), done)).toMatchObject({
      reason: "empty-output",
      detail: "the answer repeats the prompt",
    });
    expect(judged(0)).toMatchObject({ reason: "empty-output" });
  });

  test.each([
    ["unexpected status 401 Unauthorized: no, url: u", "auth", 401],
    ["exceeded retry limit, last status: 429 Too Many Requests", "rate-limit", 429],
    ["We’re currently experiencing high demand, which may cause temporary errors.", "rate-limit", undefined],
    ["unexpected status 404 Not Found: model", "config", 404],
    ["stream disconnected before completion: error sending request", "network", undefined],
    ["something else", "crash", undefined],
  ])("classifies the error: %s", (message, kind, status) => {
    expect(judged(1, { type: "turn.failed", error: { message } })).toEqual({
      ...{ reason: "agent-failed", kind, detail: message, tail: "tail" },
      ...(status === undefined ? {} : { status }),
    });
  });

  test("aborts when Codex keeps waiting for a network", () => {
    const stream = codexStream();
    const waits = { type: "error", message: "Reconnecting... waiting for network (Connection failed)" };
    stream.push(lines(waits, waits));
    expect(stream.fatalError()).toBeUndefined();
    stream.push(lines(waits));
    expect(stream.fatalError()).toMatchObject({ reason: "agent-failed", kind: "network" });
  });
});

test("refuses `max_cost` for a model without a price", async () => {
  const adapter = codexAdapter({ env: {}, onProgress: () => undefined });
  const bounded = (price?: { input: number; output: number }) =>
    step("one", {
      adapter: { name: "codex", chosenBy: "step", ...(price === undefined ? {} : { price }) },
      resources: { timeoutMs: 1000, diskLimitBytes: 1000, maxCostUsd: 1 },
    });
  expect(await adapter.problem?.(bounded())).toMatchObject({ detail: expect.stringContaining("`max_cost` cannot be enforced") });
  expect(await adapter.problem?.(bounded({ input: 1, output: 2 }))).toMatchObject({ detail: expect.stringContaining("has no key") });
});

test("finds the program in the package for its system", () => {
  expect(codexPackage.program({ platform: "linux", arch: "arm64", musl: false })).toBe(
    "node_modules/@openai/codex-linux-arm64/vendor/aarch64-unknown-linux-musl/bin/codex",
  );
});
