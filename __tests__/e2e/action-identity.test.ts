/** What decides that two uses of the Action are about one run. Through the bundle, on the rig. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { gitRemote } from "../rig/actions/remote.ts";
import { type ResultsService, startResultsService } from "../rig/actions/results-service.ts";
import { type JobRequest, type JobResult, runJob } from "../rig/actions/runner.ts";
import { type GitHubServer, startGitHub } from "../rig/github/server.ts";

let service: ResultsService;
let github: GitHubServer;
let runnerTemp: string;
beforeAll(async () => {
  [service, github] = await Promise.all([startResultsService(), startGitHub()]);
});
afterAll(() => Promise.all([service.close(), github.close()]));
beforeEach(() => {
  for (const list of [service.artifacts, service.caches, service.faults]) list.splice(0);
  runnerTemp = mkdtempSync(path.join(tmpdir(), "wave-runner-temp-"));
});
afterEach(() => {
  rmSync(runnerTemp, { recursive: true, force: true });
  expect(github.invalid.splice(0)).toEqual([]);
});

const begun = ({ log }: JobResult) => [...log.matchAll(/▶ (\w+) started/g)].map(([, step]) => step);

/** A pipeline `ci` of one step. */
const ci = (step: string, command: string) => `
personas: { work: { command: '${command}' } }
pipeline: { name: ci, steps: [{ id: ${step}, persona: work }] }
`;

function job(workspace: string, sha: string, changes: Partial<JobRequest> & { job?: string; attempt?: number } = {}) {
  const { job: name = "build", attempt = 1 } = changes;
  const identity = { runId: 100, job: name, attempt, ref: "refs/heads/main" };
  return runJob({ workspace, sha, apiUrl: github.url, service: service.environment(identity), ...changes });
}

it("executes the second of two manifests in one job, whose pipelines have the same name", async () => {
  const remote = gitRemote();
  const sha = remote.commit("main", { "a.yaml": ci("first", "false"), "b.yaml": ci("second", "echo b > b.txt") });
  const workspace = remote.checkout(sha);
  const first = await job(workspace, sha, { runnerTemp, inputs: { file: "a.yaml" } });
  const second = await job(workspace, sha, { runnerTemp, inputs: { file: "b.yaml" } });
  expect({ codes: [first.code, second.code], begun: [begun(first), begun(second)] }).toEqual({
    codes: [1, 0],
    begun: [["first"], ["second"]],
  });
  expect(second.outputs["run-id"]).not.toBe(first.outputs["run-id"]);
});

it("keeps the jobs of two working directories apart, whose state travels through artifacts and the cache", async () => {
  const remote = gitRemote();
  const sha = remote.commit("main", { "a/wave.yaml": ci("only", "test -e ok"), "b/wave.yaml": ci("only", "test -e ok"), "b/ok": "" });
  const inputs = (directory: string) => ({ inputs: { "working-directory": directory }, job: directory });
  const b = await job(remote.checkout(sha), sha, inputs("b"));
  const a = await job(remote.checkout(sha), sha, inputs("a"));
  expect({ a: [a.code, begun(a)], b: [b.code, begun(b)] }).toEqual({ a: [1, ["only"]], b: [0, ["only"]] });
  // "Re-run failed jobs": the failed one must not find the other's passed run.
  const again = await job(remote.checkout(sha), sha, { ...inputs("a"), attempt: 2 });
  expect({ code: again.code, begun: begun(again), run: again.outputs["run-id"] }).toEqual({
    code: 1,
    begun: ["only"],
    run: a.outputs["run-id"],
  });
});

it.each([
  ["run-key", { "run-key": '{"target":"b"}' }],
  ["env", { env: "staging" }],
  ["adapter", { adapter: "command" }],
  ["input", { input: "b" }],
])("starts another run for another `%s`", async (_name, inputs) => {
  const remote = gitRemote();
  const sha = remote.commit("main", { "wave.yaml": ci("only", "true"), "wave.staging.yaml": "description: staging\n" });
  const first = await job(remote.checkout(sha), sha);
  const second = await job(remote.checkout(sha), sha, { inputs });
  expect([first.code, second.code]).toEqual([0, 0]);
  expect(begun(second)).toEqual(["only"]);
  expect(second.outputs["run-id"]).not.toBe(first.outputs["run-id"]?.replace(/-\d+$/, ""));
  expect(second.outputs["run-id"]).not.toMatch(/-2$/);
});

it("shares a run between jobs of other names that execute steps of one pipeline", async () => {
  const remote = gitRemote();
  const manifest = `
personas: { work: { command: 'echo x > $WAVE_OUTPUT_DIR/made.txt' }, use: { command: 'cat "$WAVE_INPUTS_DIR/made"' } }
pipeline:
  name: ci
  steps:
    - { id: make, persona: work, artifacts: [made] }
    - { id: use, persona: use, dependencies: [make], inputs: [made] }
`;
  const sha = remote.commit("main", { "wave.yaml": manifest });
  const make = await job(remote.checkout(sha), sha, { job: "build", inputs: { steps: "make" } });
  const use = await job(remote.checkout(sha), sha, { job: "deploy", inputs: { steps: "use" } });
  expect({ codes: [make.code, use.code], begun: [begun(make), begun(use)] }).toEqual({ codes: [0, 0], begun: [["make"], ["use"]] });
  expect(use.outputs["run-id"]).toBe(make.outputs["run-id"]);
  expect(use.outputs["status"]).toBe("passed");
});

it("refuses `resume: RUN` for the run of another manifest, naming both, and executes nothing", async () => {
  const remote = gitRemote();
  const sha = remote.commit("main", { "a.yaml": ci("first", "false"), "b.yaml": ci("second", "true") });
  const workspace = remote.checkout(sha);
  const first = await job(workspace, sha, { runnerTemp, inputs: { file: "a.yaml" } });
  const run = first.outputs["run-id"] ?? "";
  const second = await job(workspace, sha, { runnerTemp, inputs: { file: "b.yaml", resume: run } });
  expect({ code: second.code, status: second.outputs["status"], begun: begun(second) }).toEqual({ code: 2, status: "error", begun: [] });
  expect(second.annotations.map(({ message }) => message)).toEqual([
    expect.stringContaining(`cannot resume run ${run} here: its manifest differs from this job's`),
  ]);
  expect(second.log).toContain(`run ${run}: a.yaml`);
  expect(second.log).toContain("this job: b.yaml");
});
