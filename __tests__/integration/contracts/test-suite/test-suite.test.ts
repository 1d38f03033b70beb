/** `test_suite` with real processes in a real workspace: their variables, and the verdict for each way to end. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { testSuiteContract } from "../../../../src/contracts/test-suite/test-suite.ts";
import { sharedProvider } from "../../../../src/workspace/shared.ts";
import { contractContext } from "../../../rig/contract-conformance.ts";
import { step, testContract } from "../../../rig/plan-fixtures.ts";

const roots: string[] = [];

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

async function run(
  command: readonly string[] | string,
  options: { timeoutMs?: number; files?: Readonly<Record<string, string>>; signal?: AbortSignal } = {},
) {
  const root = mkdtempSync(path.join(tmpdir(), "wave-contract-"));
  roots.push(root);
  for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(path.join(root, name), text);
  const provider = sharedProvider({
    root,
    stateDir: path.join(root, ".wave/state"),
    env: { PATH: process.env["PATH"], HOME: root, SECRET_TOKEN: "s3cret" },
    graceMs: 200,
  });
  const build = step("build", { env: { FROM_STEP: "1" }, secrets: ["SECRET_TOKEN"] });
  const workspace = await provider.open({ runId: "run1", step: build, attempt: 1, inputs: [], task: () => "task" });
  if (!workspace.ok) throw new Error(workspace.error.reason);
  const contract = testContract({ command, timeoutMs: options.timeoutMs ?? 20_000 });
  const outcome = await testSuiteContract.verify(
    contractContext(contract, {
      step: build,
      workspace: workspace.value,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    }),
  );
  return { outcome, root };
}

const node = (script: string) => [process.execPath, "-e", script];

test("passes if the command succeeds in the step's workspace, and keeps its output", async () => {
  const { outcome } = await run(node("console.log(require('node:fs').readFileSync('made.txt', 'utf8'))"), {
    files: { "made.txt": "by the step" },
  });
  expect(outcome).toEqual({ verdict: "pass", violations: [], tail: "by the step" });
});

test("fails with the command's exit status and the end of both output streams", async () => {
  const script = "require('node:fs').writeSync(1, '1 passed\\n'); require('node:fs').writeSync(2, '1 failed\\n'); process.exit(3)";
  const { outcome } = await run(node(script));
  expect({
    verdict: outcome.verdict,
    rule: outcome.violations[0]?.rule,
    message: outcome.violations[0]?.message.endsWith("exited with 3"),
  }).toEqual({ verdict: "fail", rule: "exit", message: true });
  expect(outcome.tail?.split("\n").sort()).toEqual(["1 failed", "1 passed"]);
});

test("passes the directories to the command, but not the step's env or secrets", async () => {
  const { outcome } = await run(
    node("console.log(Object.keys(process.env).filter((name) => /^WAVE_|STEP|SECRET/.test(name)).sort().join())"),
  );
  expect(outcome.tail).toBe("WAVE_ATTEMPT,WAVE_INPUTS_DIR,WAVE_OUTPUT_DIR,WAVE_RUN_ID,WAVE_STEP_ID");
});

test("fails if the command exceeds the contract's timeout", async () => {
  const { outcome } = await run(node("console.log('begun'); setInterval(() => {}, 1000)"), { timeoutMs: 700 });
  expect({ verdict: outcome.verdict, rule: outcome.violations[0]?.rule }).toEqual({ verdict: "fail", rule: "timeout" });
});

test("fails if a signal ends the command", async () => {
  const { outcome } = await run(node("process.kill(process.pid, 'SIGKILL')"));
  expect({ verdict: outcome.verdict, rule: outcome.violations[0]?.rule }).toEqual({ verdict: "fail", rule: "signal" });
});

test("is an error if the command does not exist", async () => {
  const { outcome } = await run(["wave-no-such-program"]);
  expect({ verdict: outcome.verdict, rule: outcome.violations[0]?.rule }).toEqual({ verdict: "error", rule: "start" });
});

test("is an error if the run is cancelled", async () => {
  const { outcome } = await run(node("setInterval(() => {}, 1000)"), { signal: AbortSignal.abort("SIGINT") });
  expect({ verdict: outcome.verdict, rule: outcome.violations[0]?.rule }).toEqual({ verdict: "error", rule: "cancelled" });
});

test("runs a shell pipeline, and tolerates output that is not UTF-8", async () => {
  const { outcome } = await run("printf 'a\\377b' | cat && exit 4");
  expect(outcome).toEqual({
    verdict: "fail",
    violations: [{ message: "`printf 'a\\377b' | cat && exit 4` exited with 4", rule: "exit" }],
    tail: "a\ufffdb",
  });
});
