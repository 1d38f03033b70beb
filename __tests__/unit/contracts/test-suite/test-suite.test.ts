import { expect, test } from "vitest";
import { testSuiteContract } from "../../../../src/contracts/test-suite/test-suite.ts";
import type { SpawnOutcome, SpawnRequest } from "../../../../src/core/ports.ts";
import { contractContext, spawningWorkspace } from "../../../rig/contract-conformance.ts";
import { testContract } from "../../../rig/plan-fixtures.ts";

async function outcomeOf(outcome: SpawnOutcome, printed: readonly string[] = [], command: readonly string[] | string = ["npm", "test"]) {
  const requests: SpawnRequest[] = [];
  const logged: string[] = [];
  const workspace = spawningWorkspace(async (request) => {
    requests.push(request);
    for (const text of printed) request.onOutput(Buffer.from(text), "stdout");
    return outcome;
  });
  const log = { write: (chunk: Uint8Array) => void logged.push(Buffer.from(chunk).toString()), tail: () => "" };
  const given = await testSuiteContract.verify(contractContext(testContract({ command }), { workspace, log }));
  return { given, request: requests[0], logged: logged.join("") };
}

test.each<[SpawnOutcome, "pass" | "fail" | "error", string?]>([
  [{ kind: "exited", code: 0 }, "pass"],
  [{ kind: "exited", code: 3 }, "fail", "`npm test` exited with 3"],
  [{ kind: "timed-out", limitMs: 90_000 }, "fail", "`npm test` took longer than 1m30s"],
  [{ kind: "killed", signal: "SIGSEGV" }, "fail", "`npm test` was killed by SIGSEGV"],
  [{ kind: "memory-exceeded", limitBytes: 1e9, peakBytes: 2e9 }, "fail", "`npm test` used 2GB of memory, more than the limit of 1GB"],
  [{ kind: "not-started", code: "ENOENT", detail: "no such file" }, "error", "`npm test` could not be started: no such file (ENOENT)"],
  [
    { kind: "unprepared", failure: { reason: "workspace-failed", code: "ENOSPC", detail: "judge.1: no space" } },
    "error",
    "`npm test` could not be started: the workspace could not be created or used (ENOSPC): judge.1: no space",
  ],
  [{ kind: "cancelled" }, "error", "`npm test` was cancelled"],
])("%o", async (outcome, verdict, message) => {
  const { given } = await outcomeOf(outcome);
  expect({ verdict: given.verdict, messages: given.violations.map((violation) => violation.message) }).toEqual({
    verdict,
    messages: message === undefined ? [] : [message],
  });
});

test("runs the command with the contract's timeout and only Wave's variables", async () => {
  const { request } = await outcomeOf({ kind: "exited", code: 0 });
  expect({ ...request, signal: undefined, onOutput: undefined }).toEqual({
    command: ["npm", "test"],
    env: { WAVE_INPUTS_DIR: "/w-inputs", WAVE_OUTPUT_DIR: "/w-output", WAVE_RUN_ID: "run1", WAVE_STEP_ID: "build", WAVE_ATTEMPT: "1" },
    timeoutMs: 600_000,
    role: "contract",
    network: [],
    signal: undefined,
    onOutput: undefined,
  });
});

test("logs all output, and keeps the last complete lines in the result", async () => {
  const line = `${"x".repeat(99)}\n`;
  const { given, logged } = await outcomeOf({ kind: "exited", code: 1 }, [...Array<string>(100).fill(line), "the end\n"]);
  expect(logged.length).toBe(10_008);
  expect(given.tail).toBe(`${line.repeat(40)}the end`);
});

test("keeps the end of a single long line, and replaces invalid UTF-8", async () => {
  const { given } = await outcomeOf({ kind: "exited", code: 1 }, ["a".repeat(9000)]);
  expect(given.tail).toBe("a".repeat(4096));
});

test("names a long command by its first line", async () => {
  const { given } = await outcomeOf({ kind: "exited", code: 1 }, [], "set -e\nmake\n");
  expect(given.violations[0]?.message).toBe("`set -e ...` exited with 1");
});

test.each([[[]], [["  "]], [" \n "]])("reports the empty command %j as a problem", async (command) => {
  expect(await testSuiteContract.check(testContract({ command }), new Map())).toEqual([
    {
      message: "the contract `tests` has an empty command",
      hint: "write a program and its arguments as a list, or a shell command as a string",
    },
  ]);
});
