/** What a re-run executes, where it finds the state of earlier attempts, and what it reports about steps that it does not execute. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ResultsService, startResultsService } from "../../rig/actions/results-service.ts";
import type { JobRequest, JobResult } from "../../rig/actions/runner.ts";
import { openPullRequest, type PullRequestRig } from "../../rig/github/pull-request.ts";
import { type GitHubServer, startGitHub } from "../../rig/github/server.ts";

const personas = "personas: { s: { adapter: command, command: 'true' }, bad: { adapter: command, command: 'exit 1' } }\n";
const steps = (list: string) => `pipeline: { name: ci, steps: [${list}] }\n${personas}`;
const contract = "handover: { contract: { name: t, type: test_suite, command: [sh, check.sh] } }";

let github: GitHubServer;
let service: ResultsService;
beforeAll(async () => {
  service = await startResultsService();
});
afterAll(() => service.close());
beforeEach(async () => {
  github = await startGitHub();
  service.artifacts.splice(0);
  service.caches.splice(0);
});
afterEach(async () => {
  expect(github.invalid).toEqual([]);
  await github.close();
});

const started = ({ log }: JobResult) => [...log.matchAll(/▶ (\w+) started/g)].map(([, step]) => step).sort();

/** Runs an attempt of a workflow run on a machine that has nothing but what GitHub kept. */
function attempt(rig: PullRequestRig, runId: number, number: number, more: Partial<JobRequest> = {}): Promise<JobResult> {
  const identity = { runId, attempt: number, job: "build", ref: "refs/pull/7/merge" };
  return rig.job({ runId, attempt: number, service: service.environment(identity), ...more });
}

describe("Re-run all jobs", () => {
  test.each(["auto", "true"])("executes every step after a pass with `reuse: %s`, and a new push takes over the results", async (reuse) => {
    const rig = openPullRequest(github, {
      "wave.yaml": steps("{ id: a, persona: s, task: x, reuse: true }, { id: b, persona: s, task: x }"),
    });
    const first = await attempt(rig, 100, 1, { inputs: { reuse } });
    const second = await attempt(rig, 100, 2, { inputs: { reuse } });
    const pushed = await attempt(rig, 101, 1, { inputs: { reuse } });
    expect([started(first), started(second), started(pushed)], second.log).toEqual([["a", "b"], ["a", "b"], []]);
    expect(second.outputs["run-id"]).toBe(`${first.outputs["run-id"]}-2`);
  });

  test("resumes a run with steps left although its job was green", async () => {
    const rig = openPullRequest(github, { "wave.yaml": steps("{ id: a, persona: s, task: x }, { id: b, persona: s, task: x }") });
    const first = await attempt(rig, 100, 1, { inputs: { steps: "a" } });
    const second = await attempt(rig, 100, 2);
    expect([first.code, first.outputs["status"], started(first), started(second)]).toEqual([0, "pending", ["a"], ["b"]]);
    expect(second.outputs["run-id"]).toBe(first.outputs["run-id"]);
  });
});

describe("state that neither the cache nor the artifact service has", () => {
  const flaky =
    "personas: { s: { adapter: command, command: 'true' }, bad: { adapter: command, command: 'test \"$MOOD\" = good', secrets: [MOOD] } }";
  const manifest = `pipeline: { name: ci, steps: [{ id: a, persona: s, task: x }, { id: b, persona: bad, task: x, dependencies: [a] }] }\n${flaky}\n`;

  test("is found through the REST API", async () => {
    const rig = openPullRequest(github, { "wave.yaml": manifest });
    const first = await attempt(rig, 100, 1, { env: { MOOD: "bad-secret" } });
    service.hideArtifacts(100);
    service.caches.splice(0);
    for (const { id, runId, name, size, hash, blob } of service.artifacts) {
      const url = () => service.storage.signedUrl(blob, "read", { type: "application/zip", name: `${name}.zip` });
      github.state.artifacts.push({ id, runId, name, size, ...(hash === undefined ? {} : { hash }), url });
    }
    const second = await attempt(rig, 100, 2, { env: { MOOD: "good" } });
    expect([started(first), started(second), second.outputs["run-id"]], second.log).toEqual([["a", "b"], ["b"], first.outputs["run-id"]]);
  });
});

describe("the check of a contract", () => {
  test("of a reused step has the verdict that was recorded, and links to the workflow run that produced it", async () => {
    const warns = contract.replace("name: t,", "name: t, on_failure: warn,");
    const text = steps(`{ id: a, persona: s, task: x, ${contract} }, { id: b, persona: s, task: x, ${warns} }`);
    const rig = openPullRequest(github, { "wave.yaml": text.replace(/\[sh, check\.sh\](?=.*id: b)/, "'true'"), "check.sh": "exit 1\n" });
    await attempt(rig, 100, 1);
    // The steps do not depend on each other: their checks are written in the order in which they end.
    const checks = () => github.state.checks.map(({ name, conclusion }) => `${name}: ${conclusion}`).sort();
    const first = checks();
    github.state.checks.splice(0);
    const pushed = await attempt(rig, 101, 1);
    expect([started(pushed), checks()], pushed.log).toEqual([[], first]);
    expect(first.map((check) => check.replace(/.*: /, ""))).toEqual(["success", "success", "neutral"]);
    for (const { output } of github.state.checks.slice(1)) {
      expect(output.title).toMatch(/in run [0-9a-f]{12}, reused$/);
      expect(output.summary).toContain("](https://github.com/octo/demo/actions/runs/100/attempts/1)");
    }
  });

  test("of a skipped step names the step that failed", async () => {
    const list = `{ id: a, persona: bad, task: x }, { id: b, persona: s, task: x, dependencies: [a] }, { id: c, persona: s, task: x, dependencies: [b], ${contract} }`;
    const rig = openPullRequest(github, { "wave.yaml": steps(list), "check.sh": "exit 0\n" });
    await attempt(rig, 100, 1);
    expect(github.state.checks.at(-1)).toMatchObject({
      conclusion: "skipped",
      output: {
        title: "not evaluated: step a failed",
        summary: expect.stringMatching(/^Run .*, commit .*\n\nStep <code>c<\/code> depends on <code>a<\/code>, which failed\.$/),
      },
    });
  });
});
