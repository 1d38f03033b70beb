/** What a job reports to GitHub, and what it publishes. Through the bundles, against a server on GitHub's own description. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { gitRemote } from "../rig/actions/remote.ts";
import { runJob } from "../rig/actions/runner.ts";
import { openPullRequest } from "../rig/github/pull-request.ts";
import { type GitHubServer, startGitHub } from "../rig/github/server.ts";

const schema = JSON.stringify({ type: "object", required: ["ok"], properties: { ok: { type: "boolean" } } });
const manifest = (extra = "") => `
personas:
  survey: { command: 'cat "$NOTES" > $WAVE_OUTPUT_DIR/findings.json; echo "# All is <b>well</b>, @mona" > $WAVE_OUTPUT_DIR/review.md', env: { NOTES: notes.json } }
  test: { command: 'true' }
  last: { command: 'true' }
pipeline:
  name: review
${extra}
  steps:
    - id: survey
      persona: survey
      artifacts: [findings, review]
      handover:
        contract: { type: json_schema, schema: shape.json, artifact: findings }
    - id: test
      persona: test
      dependencies: [survey]
      handover:
        contract: { name: tests, type: test_suite, command: [sh, check.sh] }
    - { id: last, persona: last, dependencies: [test] }
`;
const files = { "shape.json": schema, "notes.json": '{ "ok": true }', "check.sh": "exit 0\n", "src/a.js": "1;\n2;\n3;\n" };

let github: GitHubServer;
beforeAll(async () => {
  github = await startGitHub();
});
afterAll(() => github.close());
beforeEach(() => {
  for (const list of [github.state.checks, github.state.comments, github.state.reviews, github.faults, github.requests]) list.splice(0);
  github.state.pulls.clear();
});
/** Whatever a test is about: no request of wave's and no answer of the rig's breaks the description. */
afterEach(() => {
  expect(github.invalid.splice(0)).toEqual([]);
});

/** A checkout of a pull request, and a job on it. */
function pullRequest(changes: Readonly<Record<string, string>> = {}, options: { readonly fork?: boolean; readonly extra?: string } = {}) {
  const patch = "@@ -1,3 +1,3 @@\n 1;\n-2;\n+two;\n 3;";
  return openPullRequest(
    github,
    { "wave.yaml": manifest(options.extra), ...files },
    { "src/a.js": "1;\ntwo;\n3;\n", ...changes },
    { fork: options.fork === true, patches: [{ filename: "src/a.js", patch }] },
  );
}

const checks = () => github.state.checks.map(({ name, status, conclusion }) => `${name}: ${status} ${conclusion}`);

describe("check runs", () => {
  it("are one for the pipeline, in progress first, and one a contract, on the head of the pull request", async () => {
    const { job, head } = pullRequest();
    const result = await job();
    expect({ code: result.code, log: result.code === 0 ? "" : result.log }).toEqual({ code: 0, log: "" });
    expect(checks()).toEqual([
      "wave / review (build): completed success",
      "wave / review / survey: json_schema:findings (build): completed success",
      "wave / review / test: tests (build): completed success",
    ]);
    expect(new Set(github.state.checks.map(({ head_sha }) => head_sha))).toEqual(new Set([head]));
    const [first] = github.requests.filter(({ operation }) => operation === "checks/create");
    expect(first?.body).toMatchObject({ status: "in_progress", details_url: "https://github.com/octo/demo/actions/runs/100/attempts/1" });
    const output = github.state.checks[0]?.output ?? { title: "", summary: "", text: "" };
    expect(output.title).toBe("all 3 steps passed");
    expect(output.summary).toContain("| ✅ <code>survey</code> | survey | passed |");
    expect(output.text).toContain("```mermaid\nflowchart TD");
    expect(result.summary).toContain("### review: all 3 steps passed");
    expect(result.annotations).toEqual([expect.objectContaining({ level: "warning" }), expect.objectContaining({ level: "warning" })]);
  });

  it("put violations on the contract's line in the manifest, and test failures on source lines, in batches of 50", async () => {
    const failures = Array.from({ length: 260 }, (_, at) => `echo "src/a.js:${(at % 3) + 1}:1: error: failure ${at}"`).join("\n");
    const { job } = pullRequest({ "check.sh": `${failures}\nexit 1\n` });
    const result = await job();
    expect(result.code).toBe(1);
    const tests = github.state.checks.find(({ name }) => name.includes("tests"));
    expect(tests).toMatchObject({ status: "completed", conclusion: "failure" });
    expect(tests?.annotations).toHaveLength(261);
    expect(tests?.annotations[0]).toMatchObject({ path: "wave.yaml", message: "`sh check.sh` exited with 1" });
    expect(tests?.annotations[2]).toMatchObject({
      path: "src/a.js",
      start_line: 2,
      end_line: 2,
      message: "error: failure 1",
      annotation_level: "failure",
    });
    const updates = github.requests.filter(
      ({ operation, body }) => operation === "checks/update" && Object.hasOwn((body as { output: object }).output, "annotations"),
    );
    const sizes = updates.map(({ body }) => (body as { output: { annotations: unknown[] } }).output.annotations.length);
    expect(sizes.filter((size) => size > 0)).toEqual([50, 50, 50, 50, 50, 11]);
    expect(checks()).toContain("wave / review (build): completed failure");
  });

  it("say where an artifact breaks its schema", async () => {
    const { job } = pullRequest({ "notes.json": '{\n  "ok": "yes"\n}' });
    expect((await job()).code).toBe(1);
    expect(checks()).toEqual([
      "wave / review (build): completed failure",
      "wave / review / survey: json_schema:findings (build): completed failure",
      "wave / review / test: tests (build): completed skipped",
    ]);
    const [, findings] = github.state.checks;
    expect(findings?.annotations).toEqual([
      expect.objectContaining({ path: "wave.yaml", start_line: 14, message: expect.stringContaining("findings.json:2:9") }),
    ]);
  });

  it("give way to the log where the job may not write them, with one notice and the same result", async () => {
    const { job } = pullRequest({ "notes.json": '{ "ok": 1 }' });
    github.faults.push({ operation: "checks/create", status: 403, message: "Resource not accessible by integration" });
    const result = await job();
    expect(result.code).toBe(1);
    expect(github.requests.filter(({ operation }) => operation === "checks/create")).toHaveLength(1);
    const said = result.annotations.filter(({ level }) => level !== "warning");
    expect(said).toEqual([
      expect.objectContaining({
        level: "notice",
        message: expect.stringContaining("wave could not write a check run (HTTP 403 from GitHub): Resource not accessible by integration"),
      }),
      expect.objectContaining({ level: "error", properties: expect.objectContaining({ file: "wave.yaml", line: "14" }) }),
    ]);
    expect(result.summary).toContain("review: 0 of 3 steps passed, survey failed");
  });

  it("are completed also when a batch fails halfway", async () => {
    const failures = Array.from({ length: 160 }, (_, at) => `echo "src/a.js:1:1: error: failure ${at}"`).join("\n");
    const { job } = pullRequest({ "check.sh": `${failures}\nexit 1\n` });
    github.faults.push({ operation: "checks/update", status: 500, after: 2, times: 3 });
    const result = await job();
    expect(result.code).toBe(1);
    expect(new Set(github.state.checks.map(({ status }) => status))).toEqual(new Set(["completed"]));
  });

  it("are completed in `post` when the machine's process was killed, and as cancelled when the job was", async () => {
    const { job } = pullRequest({ "check.sh": "sleep 30\n" });
    const cancelled = await job({ cancelAt: (line) => line.includes("▶ test started") });
    expect(cancelled.code).toBe(130);
    expect(checks()[0]).toBe("wave / review (build): completed cancelled");
    expect(new Set(github.state.checks.map(({ status }) => status))).toEqual(new Set(["completed"]));
  });
});

describe("text of children", () => {
  it("becomes no workflow command, no markup and no mention, and secrets leave nowhere", async () => {
    const secret = "correct horse\nbattery staple";
    const hostile = [
      "::set-output name=run-id::forged",
      "::stop-commands::x",
      "##[error]forged",
      "| a | b |",
      "</details><b>@octocat</b>",
      "$TOKEN",
    ];
    const script = [
      ...hostile.map((line) => (line === "$TOKEN" ? 'printf "%s\\n" "$TOKEN" | base64; printf "%s\\n" "$TOKEN"' : `echo '${line}'`)),
      "exit 1",
    ];
    const { job } = pullRequest({}, {});
    const result = await job({ env: { TOKEN: secret } });
    expect(result.code).toBe(0);
    const remote = gitRemote();
    const text = manifest()
      .replace("persona: test\n", "persona: shout\n")
      .replace("  last:", "  shout: { command: [sh, shout.sh], secrets: [TOKEN] }\n  last:");
    const sha = remote.commit("main", { "wave.yaml": text, ...files, "shout.sh": `${script.join("\n")}\n` });
    github.requests.splice(0);
    const shouting = await runJob({ workspace: remote.checkout(sha), sha, apiUrl: github.url, env: { TOKEN: secret } });
    expect(shouting.code).toBe(1);
    expect(shouting.outputs["run-id"]).toMatch(/^[0-9a-f]{12}$/);
    expect(shouting.refused).toEqual([]);
    expect(shouting.annotations.map(({ message }) => message).join("\n")).not.toContain("forged");
    const sent = JSON.stringify(github.requests) + shouting.summary;
    for (const leak of ["correct horse", "battery staple", Buffer.from(secret).toString("base64").slice(0, 20)])
      expect(sent).not.toContain(leak);
    expect(shouting.log).not.toContain("correct horse");
    // What a child printed stands in a block of code, and nowhere else.
    expect(shouting.summary.replaceAll(/^```\w*\n[\s\S]*?^```$/gm, "")).not.toContain("octocat");
  });
});

describe("comments and reviews", () => {
  const publish = (kind: string, artifact: string, more = "") => `  publish: [{ ${kind}: { artifact: ${artifact}${more} } }]`;

  it("keep one comment with the result, and fold in what the attempt before said", async () => {
    const { job } = pullRequest({ "notes.json": "[]" });
    github.state.comments.push({ id: 1, issue: 7, login: "mallory", body: "<!-- wave:result:review: -->\nmine" });
    await job({ inputs: { comment: "true" } });
    await job({ inputs: { comment: "true" }, attempt: 2 });
    const [foreign, ours, ...others] = github.state.comments;
    expect({ foreign: foreign?.body, others }).toEqual({ foreign: "<!-- wave:result:review: -->\nmine", others: [] });
    expect(ours?.body).toContain("### review&#58; 0 of 3 steps passed, survey failed");
    expect(ours?.body).toContain("<details><summary>Attempt 1</summary>");
  });

  it("publish an artifact as a comment, without its mentions", async () => {
    const { job } = pullRequest({}, { extra: publish("pr_comment", "review") });
    const result = await job();
    expect({ code: result.code, log: result.code === 0 ? "" : result.log }).toEqual({ code: 0, log: "" });
    expect(github.state.comments.map(({ body }) => body)).toEqual([expect.stringContaining("# All is <b>well</b>, @\u200bmona")]);
    expect(result.log).toContain("published review as pull request comment https://github.com/octo/demo/pull/7#issuecomment-1");
    await job({ runId: 101 });
    expect(github.state.comments).toHaveLength(1);
  });

  it("publish remarks as one review that approves nothing, those outside of the diff in its body", async () => {
    const review = {
      body: "Two remarks.",
      comments: [
        { path: "src/a.js", line: 2, body: "Use a number, @octocat.", suggestion: "2;", severity: "warning" },
        { path: "README.md", line: 9, body: "Say so." },
      ],
    };
    const extra = publish("pr_review", "findings");
    const shape = { "shape.json": "{}", "notes.json": JSON.stringify(review) };
    const { job, head } = pullRequest(shape, { extra });
    const result = await job();
    expect({ code: result.code, log: result.code === 0 ? "" : result.log }).toEqual({ code: 0, log: "" });
    expect(github.state.reviews).toEqual([
      expect.objectContaining({
        event: "COMMENT",
        commit_id: head,
        comments: [{ path: "src/a.js", line: 2, side: "RIGHT", body: "⚠️ Use a number, @\u200boctocat.\n\n```suggestion\n2;\n```" }],
      }),
    ]);
    expect(github.state.reviews[0]?.body).toContain("Two remarks.");
    expect(github.state.reviews[0]?.body).toContain("<code>README&#46;md&#58;9</code> Say so.");
    await job({ runId: 101 });
    expect(github.state.reviews).toHaveLength(1);
  });

  it("fail the job when they cannot be published, unless they are optional", async () => {
    const wrong = pullRequest({}, { extra: publish("pr_review", "findings") });
    const refused = await wrong.job();
    expect(refused.code).toBe(1);
    expect(refused.log).toContain("cannot publish artifact `findings`: `ok` is not a known key");
    const forbidden = pullRequest({}, { extra: publish("pr_comment", "review") });
    github.faults.push({ operation: "issues/create-comment", status: 403, message: "Resource not accessible by integration" });
    expect((await forbidden.job()).code).toBe(1);
    const optional = pullRequest({}, { extra: publish("pr_comment", "review", ", optional: true") });
    expect((await optional.job()).code).toBe(0);
  });

  it("cut a comment that GitHub would not take", async () => {
    const long = `${JSON.stringify({ ok: true, lines: Array.from({ length: 4000 }, (_, at) => `line ${at} ${"x".repeat(30)}`) }, null, 1)}`;
    const { job } = pullRequest({ "notes.json": long }, { extra: publish("pr_comment", "findings") });
    expect((await job()).code).toBe(0);
    expect(github.state.comments[0]?.body.length).toBeLessThan(65_536);
    expect(github.state.comments[0]?.body).toMatch(/… and \d+ more characters\. See the artifact <code>findings<\/code>\./);
  });
});

describe("trust", () => {
  it("judges a fork by the base's manifest", async () => {
    const { job } = pullRequest(
      { "wave.yaml": manifest().replace("sh, check.sh", "true"), "shape.json": "true", "notes.json": "[]" },
      { fork: true },
    );
    const result = await job();
    expect(result.code).toBe(1);
    expect(result.outputs["steps"]).toContain('"survey":{"status":"failed"');
  });

  it("runs nothing for a stranger's comment, passes the job and reports why", async () => {
    const { remote, head } = pullRequest();
    Object.assign(github.state.permissions, { mallory: "read" });
    const comment = {
      comment: { id: 1, body: "/review", user: { login: "mallory" }, author_association: "NONE" },
      issue: { number: 7, pull_request: {} },
    };
    const request = {
      workspace: remote.checkout(head),
      sha: head,
      eventName: "issue_comment",
      event: comment,
      actor: "mallory",
      apiUrl: github.url,
    };
    const refused = await runJob(request);
    expect({ code: refused.code, status: refused.outputs["status"] }).toEqual({ code: 0, status: "refused" });
    expect(refused.annotations).toEqual([
      expect.objectContaining({ level: "notice", message: expect.stringContaining("mallory, who has no write access to this repository") }),
    ]);
    expect(checks()).toEqual([]);
    expect(refused.log).not.toContain("▶");
    expect((await runJob({ ...request, inputs: { "on-refusal": "fail" } })).code).toBe(1);
  });

  it("leaves a check run that no required check accepts on a pull request that it refuses", async () => {
    const { job, head } = pullRequest({}, { fork: true });
    const result = await job({ eventName: "pull_request_target" });
    expect({ code: result.code, status: result.outputs["status"] }).toEqual({ code: 0, status: "refused" });
    expect(checks()).toEqual(["wave (build): completed action_required"]);
    expect(github.state.checks[0]?.head_sha).toBe(head);
  });

  it("leaves no check run on a pull request that a stranger reviews", async () => {
    const { job } = pullRequest();
    Object.assign(github.state.permissions, { mallory: "read" });
    const result = await job({ eventName: "pull_request_review", actor: "mallory" });
    expect({ status: result.outputs["status"], checks: checks() }).toEqual({ status: "refused", checks: [] });
  });
});
