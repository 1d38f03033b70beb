/** What a job shows in its log and summary for commands that execute nothing, and which inputs it refuses. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startResultsService } from "../../rig/actions/results-service.ts";
import { openPullRequest } from "../../rig/github/pull-request.ts";
import { type GitHubServer, startGitHub } from "../../rig/github/server.ts";

const manifest =
  "pipeline: { name: ci, steps: [{ id: a, persona: s, task: x, artifacts: [out] }] }\npersonas: { s: { adapter: command, command: 'echo hi > $WAVE_OUTPUT_DIR/out' } }\n";
const quiet = { cache: "false", artifacts: "false" };

let github: GitHubServer;
beforeAll(async () => {
  github = await startGitHub();
});
afterAll(() => github.close());
beforeEach(() => github.state.checks.splice(0));
afterEach(() => {
  expect(github.invalid.splice(0)).toEqual([]);
});

const pull = (text = manifest) => openPullRequest(github, { "wave.yaml": text });

describe("a job", () => {
  test("says in its log why `trace` has nothing to show", async () => {
    const job = await pull().job({ inputs: { ...quiet, command: "trace" } });
    expect([job.outputs["status"], job.log]).toEqual(["failed", expect.stringContaining("there are no runs yet")]);
  });

  test("says in its log why a manifest has no plan", async () => {
    const job = await pull(manifest.replace("persona: s", "persona: t")).job({ inputs: { ...quiet, command: "plan" } });
    expect([job.code, job.log]).toEqual([2, expect.stringContaining("there is no persona `t`")]);
  });

  test("says in its log what `validate` found valid", async () => {
    const job = await pull().job({ inputs: { ...quiet, command: "validate" } });
    expect([job.code, job.log]).toEqual([0, expect.stringContaining("ci (1 step)")]);
  });

  test("shows a plan in its summary", async () => {
    const job = await pull().job({ inputs: { ...quiet, command: "plan" } });
    expect(job.code).toBe(0);
    expect(job.summary).toMatch(/^### Plan\n\n```\n[\s\S]*\ba\b[\s\S]*\n```\n$/);
  });

  test("refuses an unknown step although the run has passed", async () => {
    const rig = pull();
    const workspace = rig.remote.checkout(rig.head);
    expect((await rig.job({ workspace, inputs: quiet })).code).toBe(0);
    const job = await rig.job({ workspace, inputs: { ...quiet, steps: "b" } });
    expect([job.code, job.log]).toEqual([2, expect.stringContaining("pipeline `ci` has no step `b`")]);
  });

  test.each([
    ["retention-days", "91"],
    ["retention-days", "0"],
    ["concurrency", "257"],
  ])("refuses `%s: %s`, which is outside of the documented range", async (name, value) => {
    const job = await pull().job({ inputs: { ...quiet, [name]: value } });
    expect([job.code, job.log]).toEqual([2, expect.stringContaining(`input \`${name}\` takes a whole number from 1 to`)]);
  });

  test("names the quota that an artifact service refuses uploads for", async () => {
    const service = await startResultsService();
    const message = "Artifact storage quota has been hit. Unable to upload any new artifacts.";
    service.faults.push({ method: "CreateArtifact", status: 403, message });
    const identity = { runId: 100, attempt: 1, job: "build", ref: "refs/pull/7/merge" };
    const job = await pull().job({ inputs: { cache: "false" }, service: service.environment(identity) });
    await service.close();
    const warnings = job.annotations.filter(({ level }) => level === "warning").map((one) => one.message);
    expect([job.code, warnings], job.log).toEqual([0, [expect.stringMatching(/artifacts are not uploaded: .*quota/)]]);
  });
});

describe("a name in a manifest", () => {
  test("with a letter that is not ASCII is refused by naming ASCII", async () => {
    const job = await pull(manifest.replace("id: a,", "id: é,")).job({ inputs: { ...quiet, command: "validate" } });
    expect([job.code, job.log + JSON.stringify(job.annotations)]).toEqual([2, expect.stringContaining("ASCII letters and digits")]);
  });
});

describe("a review", () => {
  test("with an empty suggestion deletes the line", async () => {
    const review = JSON.stringify({ comments: [{ path: "a.txt", line: 1, body: "Remove it.", suggestion: "" }] });
    const text = manifest
      .replace("echo hi > $WAVE_OUTPUT_DIR/out", "cat review.json > $WAVE_OUTPUT_DIR/out")
      .replace("name: ci,", "name: ci, publish: [{ pr_review: { artifact: out } }],");
    const patches = [{ filename: "a.txt", patch: "@@ -0,0 +1 @@\n+one" }];
    const rig = openPullRequest(github, { "wave.yaml": text, "review.json": review }, { "a.txt": "one\n" }, { patches });
    const job = await rig.job({ inputs: quiet });
    expect(job.code, job.log).toBe(0);
    expect(github.state.reviews[0]?.comments[0]?.body).toBe("Remove it.\n\n```suggestion\n```");
  });
});
