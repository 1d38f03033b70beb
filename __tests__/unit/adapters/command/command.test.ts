import { describe, expect, test } from "vitest";
import { commandAdapter } from "../../../../src/adapters/command/command.ts";
import type { AdapterContext, SpawnOutcome, SpawnRequest, Workspace } from "../../../../src/core/ports.ts";
import { step } from "../../../rig/plan-fixtures.ts";

const paths = { root: "/p", inputs: "/w/inputs", output: "/w/output", taskFile: "/w/task.md", home: "/h", temp: "/w/tmp" };

/** Runs the adapter with a child that prints these chunks and ends with this outcome. */
async function run(
  outcome: SpawnOutcome,
  printed: readonly (readonly ["stdout" | "stderr", Uint8Array | string])[] = [],
  members: Partial<AdapterContext> = {},
) {
  const requests: SpawnRequest[] = [];
  const logged: string[] = [];
  const workspace: Workspace = {
    paths,
    async spawn(request) {
      requests.push(request);
      for (const [stream, chunk] of printed) request.onOutput(Buffer.from(chunk), stream);
      return outcome;
    },
    read: async () => ({ ok: true, value: new Uint8Array() }),
    list: async () => ({ ok: true, value: [] }),
    write: async () => ({ ok: true, value: undefined }),
    changeset: async () => ({ ok: true, value: undefined }),
    discard: async () => {},
  };
  const result = await commandAdapter().run({
    step: step("one", { resources: { timeoutMs: 5000, memoryLimitBytes: 99, diskLimitBytes: 1e9 } }),
    attempt: { runId: "run1", number: 2 },
    workspace,
    prompt: "the prompt",
    fingerprint: { work: "sha256:w", gate: "sha256:g", parts: {} },
    files: new Map(),
    env: { A: "1", WAVE_STEP_ID: "forged" },
    signal: AbortSignal.abort("SIGINT"),
    log: { write: (chunk, stream) => void logged.push(`${stream} ${Buffer.from(chunk)}`), tail: () => "the tail" },
    ...members,
  });
  return { result, requests, logged };
}

const exited = { kind: "exited", code: 0 } as const;

describe("spawning", () => {
  test("runs the step's command with the prompt on stdin and Wave's variables", async () => {
    const { requests } = await run(exited);
    expect(requests).toEqual([
      {
        command: ["true"],
        stdin: "task",
        timeoutMs: 5000,
        memoryLimitBytes: 99,
        role: "adapter",
        signal: expect.any(AbortSignal),
        onOutput: expect.any(Function),
        env: {
          A: "1",
          WAVE_TASK_FILE: "/w/task.md",
          WAVE_INPUTS_DIR: "/w/inputs",
          WAVE_OUTPUT_DIR: "/w/output",
          WAVE_RUN_ID: "run1",
          WAVE_STEP_ID: "one",
          WAVE_ATTEMPT: "2",
        },
      },
    ]);
  });

  test("fails without a command and spawns nothing", async () => {
    const { result, requests } = await run(exited, [], { step: step("one", { adapter: { name: "command", chosenBy: "flag" } }) });
    expect([result, requests]).toEqual([
      { ok: false, error: expect.objectContaining({ reason: "adapter-missing", step: "one", persona: "worker", adapter: "command" }) },
      [],
    ]);
  });

  test("reports the version of the adapter", async () => {
    expect(await commandAdapter().version(step("one"))).toEqual({ ok: true, value: "command/1" });
  });
});

describe("the final message", () => {
  test("is standard output, decoded across chunks; the log gets both streams", async () => {
    const [first, second] = [Buffer.from("é").subarray(0, 1), Buffer.from("é\n").subarray(1)];
    const { result, logged } = await run(exited, [
      ["stdout", first],
      ["stderr", "noise"],
      ["stdout", second],
    ]);
    expect(result).toEqual({ ok: true, value: { finalMessage: "é\n" } });
    expect(logged).toHaveLength(3);
  });

  test.each([
    ["blank", " \n"],
    ["more than 10 MiB", "x".repeat(10 * 1024 * 1024 + 1)],
  ])("is undefined if the output is %s", async (_, text) => {
    expect((await run(exited, [["stdout", text]])).result).toEqual({ ok: true, value: {} });
  });
});

test.each<[SpawnOutcome, object]>([
  [
    { kind: "exited", code: 3 },
    { reason: "adapter-exit", exitCode: 3, tail: "the tail" },
  ],
  [
    { kind: "killed", signal: "SIGSEGV" },
    { reason: "adapter-crash", signal: "SIGSEGV", tail: "the tail" },
  ],
  [
    { kind: "timed-out", limitMs: 5 },
    { reason: "timeout", limitMs: 5, tail: "the tail" },
  ],
  [
    { kind: "memory-exceeded", limitBytes: 5, peakBytes: 6 },
    { reason: "memory-exceeded", limitBytes: 5, peakBytes: 6 },
  ],
  [{ kind: "cancelled" }, { reason: "cancelled", by: "SIGINT" }],
  [
    { kind: "not-started", code: "ENOENT", detail: "gone" },
    { reason: "spawn-failed", command: "true", code: "ENOENT", detail: "gone" },
  ],
  [
    { kind: "unprepared", failure: { reason: "workspace-failed", code: "ENOSPC", detail: "full" } },
    { reason: "workspace-failed", code: "ENOSPC", detail: "full" },
  ],
])("%j is a failure", async (outcome, error) => {
  expect((await run(outcome, [["stdout", "partial"]])).result).toEqual({ ok: false, error });
});
