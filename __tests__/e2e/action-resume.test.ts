/** A failed job that is re-run goes on where it stopped, on a machine that has nothing but what GitHub kept. Through the bundles, on the rig. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { gitRemote } from "../rig/actions/remote.ts";
import { type ResultsService, startResultsService } from "../rig/actions/results-service.ts";
import { type JobRequest, type JobResult, runJob } from "../rig/actions/runner.ts";
import { type GitHubServer, startGitHub } from "../rig/github/server.ts";

/** Six steps; the fifth fails unless the job's secret says otherwise, which changes no fingerprint. */
const manifest = `
personas:
  survey: { command: 'ls > $WAVE_OUTPUT_DIR/files.txt' }
  edit: { command: 'echo edited >> notes.md; echo new > added.txt' }
  count: { command: 'wc -l < "$WAVE_INPUTS_DIR/files" > $WAVE_OUTPUT_DIR/count.txt' }
  report: { command: 'printf "{\\"ok\\": true}" > $WAVE_OUTPUT_DIR/report.json' }
  flaky: { command: 'cat notes.md added.txt; test "$MOOD" = good-secret-value && echo fine > $WAVE_OUTPUT_DIR/verdict.txt', secrets: [MOOD] }
  close: { command: 'cat "$WAVE_INPUTS_DIR/verdict" > $WAVE_OUTPUT_DIR/closing.txt; grep edited notes.md' }
pipeline:
  name: six
  steps:
    - { id: survey, persona: survey, artifacts: [files] }
    - { id: edit, persona: edit, dependencies: [survey] }
    - { id: count, persona: count, dependencies: [survey], inputs: [files], artifacts: [count] }
    - { id: report, persona: report, dependencies: [count], artifacts: [report] }
    - { id: flaky, persona: flaky, dependencies: [edit, report], artifacts: [verdict] }
    - { id: close, persona: close, dependencies: [flaky], inputs: [verdict], artifacts: [closing] }
`;

let service: ResultsService;
let github: GitHubServer;
beforeAll(async () => {
  [service, github] = await Promise.all([startResultsService(), startGitHub()]);
});
afterAll(() => Promise.all([service.close(), github.close()]));
afterEach(() => {
  expect(github.invalid.splice(0)).toEqual([]);
});
beforeEach(() => {
  github.state.checks.splice(0);
  github.requests.splice(0);
  service.artifacts.splice(0);
  service.caches.splice(0);
  service.faults.splice(0);
});

const statuses = ({ outputs }: JobResult) =>
  Object.fromEntries(
    Object.entries(JSON.parse(outputs["steps"] ?? "{}") as Record<string, { status: string }>).map(([id, { status }]) => [id, status]),
  );
const begun = ({ log }: JobResult) => [...log.matchAll(/▶ (\w+) started/g)].map(([, step]) => step);

/** A machine for each attempt: another checkout of the same commit. */
function machines() {
  const remote = gitRemote();
  const sha = remote.commit("main", { "wave.yaml": manifest, "notes.md": "# Notes\n" });
  return async (attempt: number, changes: Partial<JobRequest> = {}) => {
    const workspace = remote.checkout(sha);
    const identity = { runId: 100, job: "build", attempt, ref: "refs/heads/main" };
    const result = await runJob({ workspace, sha, attempt, apiUrl: github.url, service: service.environment(identity), ...changes });
    return { ...result, workspace };
  };
}

const firstFour = { survey: "passed", edit: "passed", count: "passed", report: "passed" };

async function firstAttempt(machine: ReturnType<typeof machines>) {
  const first = await machine(1, { env: { MOOD: "wrong-secret-value" } });
  expect({ code: first.code, steps: statuses(first), status: first.outputs["status"] }).toEqual({
    code: 1,
    steps: { ...firstFour, flaky: "failed", close: "skipped" },
    status: "failed",
  });
  return first;
}

it("reuses what passed, with the digests verified, and executes the rest", async () => {
  const machine = machines();
  const first = await firstAttempt(machine);
  const names = Object.values(JSON.parse(first.outputs["artifacts"] ?? "{}") as Record<string, { name: string; digest: string }>);
  expect(names.map(({ name }) => name)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^wave-[0-9a-f]{12}-survey\.files-a1-[0-9a-f]{12}$/)]),
  );
  expect(service.artifacts.map(({ name }) => name)).toEqual(expect.arrayContaining(names.map(({ name }) => name)));

  const second = await machine(2, { env: { MOOD: "good-secret-value" } });
  expect({ code: second.code, steps: statuses(second), begun: begun(second) }).toEqual({
    code: 0,
    steps: { ...firstFour, flaky: "passed", close: "passed" },
    begun: ["flaky", "close"],
  });
  expect(second.outputs).toMatchObject({ "run-id": first.outputs["run-id"], status: "passed", resumed: "true" });
  const checks = github.state.checks.map(({ name, conclusion, output, details_url }) => [
    name,
    conclusion,
    output.title,
    details_url.slice(-10),
  ]);
  expect(checks).toEqual([
    ["wave / six (build)", "failure", "4 of 6 steps passed, flaky failed", "attempts/1"],
    ["wave / six (build)", "success", "all 6 steps passed", "attempts/2"],
  ]);
  expect(JSON.stringify(github.requests)).not.toContain("secret-value");
  // The changes of the step that was not executed here are in the checkout.
  expect(readFileSync(path.join(second.workspace, "notes.md"), "utf8")).toBe("# Notes\nedited\n");
  expect(readFileSync(path.join(second.workspace, "added.txt"), "utf8")).toBe("new\n");
  const report = JSON.parse(readFileSync(second.outputs["report"] ?? "", "utf8")) as {
    run: { steps: { artifacts: { digest: string }[] }[] };
  };
  expect(report.run.steps.flatMap(({ artifacts }) => artifacts.map(({ digest }) => digest))).toEqual(
    expect.arrayContaining(names.map(({ digest }) => digest)),
  );
});

it("does with the artifacts alone when the cache is gone", async () => {
  const machine = machines();
  await firstAttempt(machine);
  service.caches.splice(0);
  const second = await machine(2, { env: { MOOD: "good-secret-value" } });
  expect({ code: second.code, begun: begun(second), resumed: second.outputs["resumed"] }).toEqual({
    code: 0,
    begun: ["flaky", "close"],
    resumed: "true",
  });
});

it("does with the cache alone when the artifacts are gone", async () => {
  const machine = machines();
  await firstAttempt(machine);
  service.artifacts.splice(0);
  const second = await machine(2, { env: { MOOD: "good-secret-value" } });
  expect({ code: second.code, begun: begun(second) }).toEqual({ code: 0, begun: ["flaky", "close"] });
});

it("executes everything again when both are gone, and says why", async () => {
  const machine = machines();
  await firstAttempt(machine);
  service.caches.splice(0);
  service.artifacts.splice(0);
  const second = await machine(2, { env: { MOOD: "good-secret-value" } });
  expect({ code: second.code, begun: begun(second).sort(), resumed: second.outputs["resumed"] }).toEqual({
    code: 0,
    begun: ["close", "count", "edit", "flaky", "report", "survey"],
    resumed: "false",
  });
  expect(second.annotations.map(({ message }) => message)).toEqual([
    "Attempt 2 starts a new run: neither the cache nor the artifacts contain the run of an earlier attempt.",
  ]);
});

it("begins another run when all jobs are re-run after the run passed", async () => {
  const machine = machines();
  const first = await machine(1, { env: { MOOD: "good-secret-value" } });
  service.hideArtifacts(100);
  const second = await machine(2, { env: { MOOD: "good-secret-value" } });
  expect(second.outputs).toMatchObject({ "run-id": `${first.outputs["run-id"]}-2`, status: "passed", resumed: "false" });
  expect(begun(second)).toHaveLength(6);
});

it("takes over equal work on a new push to the same pull request", async () => {
  const remote = gitRemote();
  const base = remote.commit("main", { "wave.yaml": manifest, "notes.md": "# Notes\n" });
  const pull = (sha: string) => ({
    pull_request: {
      number: 7,
      head: { sha, repo: { full_name: "octo/demo" } },
      base: { sha: base, ref: "main", repo: { full_name: "octo/demo" } },
      user: { login: "mona" },
    },
  });
  const push = (sha: string, runId: number) => {
    const identity = { runId, job: "build", attempt: 1, ref: "refs/pull/7/merge" };
    const event = { eventName: "pull_request", event: pull(sha), ref: "refs/pull/7/merge" };
    return runJob({
      workspace: remote.checkout(sha),
      sha,
      runId,
      apiUrl: github.url,
      service: service.environment(identity),
      env: { MOOD: "good-secret-value" },
      ...event,
    });
  };
  const one = remote.commit("feature", { "src/a.js": "1\n" }, "main");
  const first = await push(one, 100);
  expect({ code: first.code, resumed: first.outputs["resumed"] }).toEqual({ code: 0, resumed: "false" });
  const same = await push(remote.commit("feature", {}), 101);
  expect({ code: same.code, begun: begun(same), resumed: same.outputs["resumed"] }).toEqual({ code: 0, begun: [], resumed: "true" });
  const other = await push(remote.commit("feature", { "src/a.js": "2\n" }), 102);
  expect({ code: other.code, begun: begun(other).length, resumed: other.outputs["resumed"] }).toEqual({
    code: 0,
    begun: 6,
    resumed: "false",
  });
});

it("saves in `post` what a killed `main` could not, and goes on from there", async () => {
  const machine = machines();
  const first = await machine(1, { env: { MOOD: "good-secret-value" }, cancelAt: (line) => line.includes("▶ flaky started") });
  expect(first.code).toBe(130);
  expect(first.cancelledInMs).toBeLessThan(5000);
  expect(first.post?.code).toBe(0);
  expect(service.caches).toHaveLength(1);
  const second = await machine(2, { env: { MOOD: "good-secret-value" } });
  expect(second.code).toBe(0);
  expect(begun(second)).not.toContain("survey");
  expect(existsSync(path.join(second.workspace, "added.txt"))).toBe(true);
});
