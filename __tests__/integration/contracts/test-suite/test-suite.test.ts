/** `test_suite` with real children in a real workspace: what they are given, and how each way to end is judged. */
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

test("a command that succeeds in the step's workspace passes, and its output is kept", async () => {
  const { outcome } = await run(node("console.log(require('node:fs').readFileSync('made.txt', 'utf8'))"), {
    files: { "made.txt": "by the step" },
  });
  expect(outcome).toEqual({ verdict: "pass", violations: [], tail: "by the step" });
});

test("a command that fails does so with its status and the end of what it printed on both streams", async () => {
  const script = "require('node:fs').writeSync(1, '1 passed\\n'); require('node:fs').writeSync(2, '1 failed\\n'); process.exit(3)";
  const { outcome } = await run(node(script));
  expect({
    verdict: outcome.verdict,
    rule: outcome.violations[0]?.rule,
    message: outcome.violations[0]?.message.endsWith("exited with 3"),
  }).toEqual({ verdict: "fail", rule: "exit", message: true });
  expect(outcome.tail?.split("\n").sort()).toEqual(["1 failed", "1 passed"]);
});

test("the child sees where things lie, and neither the step's env nor secrets", async () => {
  const { outcome } = await run(
    node("console.log(Object.keys(process.env).filter((name) => /^WAVE_|STEP|SECRET/.test(name)).sort().join())"),
  );
  expect(outcome.tail).toBe("WAVE_ATTEMPT,WAVE_INPUTS_DIR,WAVE_OUTPUT_DIR,WAVE_RUN_ID,WAVE_STEP_ID");
});

test("a command that takes too long fails by its own timeout", async () => {
  const { outcome } = await run(node("console.log('begun'); setInterval(() => {}, 1000)"), { timeoutMs: 700 });
  expect({ verdict: outcome.verdict, rule: outcome.violations[0]?.rule }).toEqual({ verdict: "fail", rule: "timeout" });
});

test("a command that dies by a signal fails", async () => {
  const { outcome } = await run(node("process.kill(process.pid, 'SIGKILL')"));
  expect({ verdict: outcome.verdict, rule: outcome.violations[0]?.rule }).toEqual({ verdict: "fail", rule: "signal" });
});

test("a command that is not there is an error: it judged nothing", async () => {
  const { outcome } = await run(["wave-no-such-program"]);
  expect({ verdict: outcome.verdict, rule: outcome.violations[0]?.rule }).toEqual({ verdict: "error", rule: "start" });
});

test("a run that is cancelled gives no verdict on the work", async () => {
  const { outcome } = await run(node("setInterval(() => {}, 1000)"), { signal: AbortSignal.abort("SIGINT") });
  expect({ verdict: outcome.verdict, rule: outcome.violations[0]?.rule }).toEqual({ verdict: "error", rule: "cancelled" });
});

test("a shell command may be a pipeline, and prints what is not UTF-8 without harm", async () => {
  const { outcome } = await run("printf 'a\\377b' | cat && exit 4");
  expect(outcome).toEqual({
    verdict: "fail",
    violations: [{ message: "`printf 'a\\377b' | cat && exit 4` exited with 4", rule: "exit" }],
    tail: "a\ufffdb",
  });
});
