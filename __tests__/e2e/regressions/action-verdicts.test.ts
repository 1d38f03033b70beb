/** Verdicts of a job on GitHub: what its check, comment and summary report, through the real bundle. */
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { JobRequest } from "../../rig/actions/runner.ts";
import { bundledChild, type Fixture } from "../../rig/bundled-child.ts";
import { openPullRequest } from "../../rig/github/pull-request.ts";
import { type GitHubServer, startGitHub } from "../../rig/github/server.ts";

const valid = "pipeline: { name: ci, steps: [{ id: a, persona: s, task: x }] }\npersonas: { s: { adapter: command, command: 'true' } }\n";

let github: GitHubServer;
let broken: Fixture;
beforeAll(async () => {
  broken = await bundledChild(new URL("../../rig/broken-parts.ts", import.meta.url));
});
afterAll(() => broken.close());
beforeEach(async () => {
  github = await startGitHub();
});
afterEach(async () => {
  expect(github.invalid).toEqual([]);
  await github.close();
});

const checks = () => github.state.checks.map(({ name, conclusion }) => `${name}: ${conclusion}`);
const comments = () => github.state.comments.map(({ body }) => body);
const commented: Partial<JobRequest> = { inputs: { comment: "true", cache: "false", artifacts: "false" } };

describe("a job that ends before its run", () => {
  test("fails the check with the manifest's errors on their lines, and updates the comment that was green", async () => {
    const rig = openPullRequest(github, { "wave.yaml": valid });
    await rig.job(commented);
    const pushed = rig.remote.commit("feature", { "wave.yaml": valid.replace("persona: s", "persona: t") });
    const job = await rig.job({ ...commented, runId: 101, commit: pushed, sha: pushed, event: eventOf(pushed, rig.base) });
    expect([job.code, job.outputs["status"]]).toEqual([2, "error"]);
    expect(checks()).toEqual(["wave / ci (build): success", "wave / ci (build): failure"]);
    const check = github.state.checks[1];
    expect(check).toMatchObject({ head_sha: pushed, status: "completed", output: { title: "the manifest is not valid: 1 error" } });
    expect(check?.annotations).toEqual([
      expect.objectContaining({
        ...{ path: "wave.yaml", start_line: 1, annotation_level: "failure", title: "wave W301" },
        message: expect.stringContaining("there is no persona `t`"),
      }),
    ]);
    expect(comments()).toEqual([expect.stringContaining("### ci&#58; the manifest is not valid&#58; 1 error")]);
    expect(comments()[0]).toContain("<details>");
    expect(job.summary).toContain("the manifest is not valid");
    expect(job.log).toContain("there is no persona `t`");
    expect(job.annotations).toEqual([]);
  });

  test("annotates the log instead where no check can be written", async () => {
    const rig = openPullRequest(github, { "wave.yaml": valid.replace("persona: s", "persona: t") });
    github.faults.push({ operation: "checks/create", status: 403, message: "Resource not accessible by integration" });
    const job = await rig.job(commented);
    expect([job.code, job.annotations.filter(({ level }) => level === "error")]).toEqual([
      2,
      [expect.objectContaining({ properties: expect.objectContaining({ file: "wave.yaml", line: "1" }) })],
    ]);
  });

  const unreadable = "pipeline: { name: ci, steps: [{ id: a, persona: s \n";
  const names: readonly (readonly [string, string, Readonly<Record<string, string>>, string])[] = [
    ["the input `pipeline`", unreadable, { pipeline: "nightly@v2" }, "nightly"],
    ["the name in a manifest that is not valid YAML", unreadable, {}, "ci"],
    ["the only key of `pipelines`", "pipelines: { deploy: ./none.yaml }\n", {}, "deploy"],
    ["the manifest of the base", "\u0000", {}, "ci"],
    ["the file's name", "\u0000", { file: "other.yaml" }, "other"],
  ];
  test.each(names)("names its check after %s", async (_case, text, inputs, name) => {
    const rig = openPullRequest(github, { "wave.yaml": valid }, { "wave.yaml": text, "other.yaml": text });
    const job = await rig.job({ inputs: { ...commented.inputs, ...inputs } });
    expect([job.code, checks()], job.log).toEqual([2, [`wave / ${name} (build): failure`]]);
  });

  test("reports a missing checkout by its cause, and names no option of the command line", async () => {
    const rig = openPullRequest(github, { "wave.yaml": valid });
    const workspace = rig.remote.checkout(rig.head);
    for (const name of readdirSync(workspace)) rmSync(path.join(workspace, name), { recursive: true });
    const job = await rig.job({ ...commented, workspace });
    expect([job.code, checks()]).toEqual([2, ["wave / ci (build): failure"]]);
    const text = [job.log, job.summary, github.state.checks[0]?.output.summary, ...comments()].join("\n");
    expect(text).toContain("nothing is checked out");
    expect(text).toContain("uses: actions/checkout");
    expect(text).not.toMatch(/ -[fC]\b/);
  });

  test.each(["run", "plan", "validate", "status"])("names the Action's inputs when `%s` finds no manifest", async (command) => {
    const rig = openPullRequest(github, { "app/wave.yaml": valid });
    const job = await rig.job({ inputs: { ...commented.inputs, command } });
    expect(job.code).toBe(2);
    expect(job.log).toContain("the checkout has no wave.yaml");
    expect(job.log).toContain("the inputs `file` and `working-directory`");
    expect(job.log).not.toMatch(/ -[fC]\b/);
    expect(checks()).toEqual(command === "run" ? ["wave / wave (build): failure"] : []);
  });

  test("reports an input that is wrong", async () => {
    const rig = openPullRequest(github, { "wave.yaml": valid });
    const job = await rig.job({ inputs: { ...commented.inputs, reuse: "sometimes" } });
    expect([job.code, checks()]).toEqual([2, ["wave / ci (build): failure"]]);
    expect(github.state.checks[0]?.output.title).toContain("input `reuse` takes one of auto, true, false");
    expect(comments()).toEqual([expect.stringContaining("input &#96;reuse&#96;")]);
  });

  test("reports that there is no run to resume", async () => {
    const rig = openPullRequest(github, { "wave.yaml": valid });
    const job = await rig.job({ inputs: { ...commented.inputs, command: "resume" } });
    expect([job.code, checks()], job.log).toEqual([2, ["wave / ci (build): failure"]]);
    expect(job.summary).toContain("No step was executed");
  });
});

describe("an exception inside Wave", () => {
  test.each(["thrown", "unawaited"])("fails the check and the comment, and names the bug, if it is %s", async (how) => {
    const slow = `sandbox: off\ndefaults: { workspace: shared }\n${valid.replace("command: 'true'", "command: 'sleep 3'")}`;
    const rig = openPullRequest(github, { "wave.yaml": slow });
    const env = { NODE_OPTIONS: `--import ${pathToFileURL(broken.file)}`, WAVE_TEST_BUG: how };
    const job = await rig.job({ ...commented, env });
    expect([job.code, checks()], job.log).toEqual([70, ["wave / ci (build): failure"]]);
    const [check] = github.state.checks;
    expect(check).toMatchObject({ status: "completed", output: { title: "a bug in Wave ended the job" } });
    expect(check?.output.summary).toContain(how === "thrown" ? "TypeError: made to fail" : "Error: nobody waits for this");
    expect(comments()).toEqual([expect.stringContaining("ci&#58; a bug in Wave ended the job")]);
  });
});

describe("a job of a matrix", () => {
  test.each([
    [{ node: 22 }, "build, 22"],
    [{ node: 22, os: "ubuntu-latest", extra: { lts: true, tags: ["a", "b"] } }, "build, 22, ubuntu-latest, true, a, b"],
  ])("has its values in every report: %j", async (matrix, label) => {
    const text = valid.replace("task: x", "task: x, handover: { contract: { name: t, type: test_suite, command: 'true' } }");
    const rig = openPullRequest(github, { "wave.yaml": text });
    const job = await rig.job({ ...commented, matrix });
    expect(checks()).toEqual([`wave / ci (${label}): success`, `wave / ci / a: t (${label}): success`]);
    expect(job.summary).toContain(`### ci (${label.replaceAll("-", "&#45;")})`);
    expect(comments()).toEqual([expect.stringContaining(`### ci (${label.replaceAll("-", "&#45;")})`)]);
  });

  test("has its values in the report of an invalid manifest", async () => {
    const rig = openPullRequest(github, { "wave.yaml": valid.replace("persona: s", "persona: t") });
    const job = await rig.job({ ...commented, matrix: { node: 22 } });
    expect([job.code, checks()]).toEqual([2, ["wave / ci (build, 22): failure"]]);
    expect(comments()).toEqual([expect.stringContaining("### ci (build, 22)")]);
  });

  test("keeps long values apart", async () => {
    const rig = openPullRequest(github, { "wave.yaml": valid });
    for (const end of ["x", "y"]) await rig.job({ ...commented, matrix: { text: `${"long ".repeat(80)}${end}` } });
    expect(new Set(github.state.checks.map(({ name }) => name)).size).toBe(2);
  });
});

/** The payload of pull request 7 after a push. */
function eventOf(head: string, base: string): unknown {
  const repo = { full_name: "octo/demo" };
  return { pull_request: { number: 7, head: { sha: head, repo }, base: { sha: base, ref: "main", repo }, user: { login: "mona" } } };
}
