/** Results that must not be green: steps that did no work, wrote what they may not, or left nothing that was asked for. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { agentRig, usage } from "../../agents/agent-rig.ts";
import { openPullRequest, type PullRequestRig } from "../../rig/github/pull-request.ts";
import { type GitHubServer, startGitHub } from "../../rig/github/server.ts";
import { gitRepository } from "../../rig/ignored-project.ts";
import { artifactText, type Project, project } from "../../rig/project.ts";

const readOnly = ["navigator", "reviewer", "auditor", "planner", "summarizer"];
const openai = { name: "api", key: "OPENAI_API_KEY", model: "gpt-x", base: "/v1", endpoint: "/v1/chat/completions", shell: () => [] };

/** A project whose every persona runs one shell command. */
function commanded(steps: string, command: string, more = ""): Project {
  return project({
    "wave.yaml": `pipeline: { name: p, steps: [${steps}] }\ndefaults: { adapter: command }\nadapters: { command: { command: ${JSON.stringify(command)} } }\n${more}`,
    "keep.txt": "keep\n",
  });
}

const failureOf = (wave: Project) => wave.events().flatMap((event) => (event.type === "attempt-failed" ? [event.failure] : []))[0];
const namesIn = ({ root }: Project) => readdirSync(root).filter((name) => !name.startsWith("."));

describe("a persona that changes nothing", () => {
  test.each(readOnly)("fails as `%s` when its command changes files, and keeps the project as it was", async (persona) => {
    const wave = commanded(`{ id: a, persona: ${persona}, task: x }`, "rm keep.txt; echo x > new.txt");
    const run = await wave.wave("run");
    const denied = ["writing keep.txt", "writing new.txt"].map((access) => ({ access, rules: ["file_write:**"] }));
    expect([run.code, failureOf(wave)]).toEqual([1, { reason: "write-denied", paths: ["keep.txt", "new.txt"], denied }]);
    expect(namesIn(wave)).toEqual(["keep.txt", "wave.yaml"]);
  });

  test("keeps its prompt and its deny rule when an overlay writes only its model", async () => {
    const wave = commanded("{ id: a, persona: reviewer, task: x }", "rm keep.txt");
    wave.write({ "wave.release.yaml": "personas: { reviewer: { model: m } }\n" });
    const shown = JSON.parse((await wave.wave("persona", "show", "reviewer", "--env", "release", "--json")).stdout);
    expect(shown.persona).toMatchObject({
      model: "m",
      prompt: expect.stringContaining("You are a reviewer"),
      permissions: { deny: ["file_write:**"] },
    });
    expect((await wave.wave("run", "--env", "release")).code).toBe(1);
  });

  test("may write after `permissions: { replace: true }`, and the plan shows which rule was dropped", async () => {
    const replace = "personas: { reviewer: { permissions: { replace: true, allow: ['file_write:docs/**'] } } }\n";
    const wave = commanded("{ id: a, persona: reviewer, task: x }", "mkdir -p docs; echo x > docs/new.txt", replace);
    expect((await wave.wave("plan")).stdout).toContain("replace: true drops the inherited deny file_write:**");
    expect((await wave.wave("run")).code).toBe(0);
    expect(namesIn(wave)).toEqual(["docs", "keep.txt", "wave.yaml"]);
  });

  test("shows in the printed configuration where each of its values comes from", async () => {
    const wave = commanded("{ id: a, persona: reviewer, task: x }", "true", "personas: { reviewer: { model: m } }\n");
    const { stdout } = await wave.wave("config", "--origins");
    expect(stdout).toMatch(/model: m # wave\.yaml:4/);
    expect(stdout).toContain("- file_write:** # <built-in>/reviewer:1");
  });
});

describe("a command's output", () => {
  test("is not taken for an artifact that was not written", async () => {
    const wave = commanded("{ id: a, persona: craftsman, task: x, artifacts: [report] }", "echo hi");
    const run = await wave.wave("run");
    expect([run.code, failureOf(wave)]).toEqual([
      1,
      { reason: "artifact-missing", artifacts: ["report"], searched: ["$WAVE_OUTPUT_DIR/report"] },
    ]);
  });

  test("is the artifact with `source: message`, and every report names its source", async () => {
    const wave = commanded("{ id: a, persona: craftsman, task: x, artifacts: [{ name: report, source: message }] }", "echo hi");
    const run = await wave.wave("run");
    expect(run, run.stderr).toMatchObject({ code: 0 });
    for (const text of [run.stdout + run.stderr, (await wave.wave("status", "latest")).stdout, (await wave.wave("artifacts")).stdout]) {
      expect(text).toContain("from the final message");
    }
  });
});

describe("`changes: none`", () => {
  test("fails a step that changes a file, naming the setting", async () => {
    const wave = commanded("{ id: a, persona: craftsman, task: x, changes: none }", "echo x > new.txt");
    const run = await wave.wave("run");
    expect([run.code, failureOf(wave)]).toEqual([1, { reason: "write-denied", paths: ["new.txt"], rule: "changes: none" }]);
    expect(run.stderr + run.stdout).toContain("`changes: none` refuses every change");
  });
});

describe("an agent's step", () => {
  const rig = agentRig(openai);

  test("without artifact and contract is called unchecked by validate and plan", async () => {
    const wave = rig.oneStep("");
    expect((await wave.wave("validate")).stderr).toContain("W404");
    const plan = await wave.wave("plan");
    expect(plan.stdout).toContain("unchecked");
    expect(plan.stdout).toContain("required: a step that changes nothing fails");
  });

  test("without artifact and contract fails when it changes nothing", async () => {
    const wave = rig.oneStep("");
    rig.mock().on({}, { content: "I looked around.", usage: usage(10, 1) });
    const ran = await rig.run(wave);
    expect([ran.code, failureOf(wave)]).toMatchObject([
      1,
      { reason: "empty-output", detail: expect.stringContaining("it changed no files") },
    ]);
  });

  test("fails when it only asks a question, even if that could be its artifact", async () => {
    const wave = rig.oneStep(", artifacts: [report]");
    rig.mock().on({}, { content: "Which file do you mean?", usage: usage(10, 1) });
    const ran = await rig.run(wave);
    expect([ran.code, failureOf(wave)]).toMatchObject([1, { reason: "empty-output", detail: expect.stringContaining("asked a question") }]);
  });

  test("with `changes: optional` passes, and the summary calls it unchecked", async () => {
    const wave = rig.oneStep(", changes: optional");
    rig.mock().on({}, { content: "I looked around.", usage: usage(10, 1) });
    const ran = await rig.run(wave);
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(ran.stderr).toContain("unchecked (neither artifact nor contract): look");
  });
});

describe("a check run on GitHub", () => {
  let github: GitHubServer;
  beforeEach(async () => {
    github = await startGitHub();
    github.state.permissions["mona"] = "write";
  });
  afterEach(async () => {
    expect(github.invalid).toEqual([]);
    await github.close();
  });

  const tested =
    "pipeline: { name: p, steps: [{ id: a, persona: s, task: x, handover: { contract: { name: t, type: test_suite, command: [sh, check.sh] } } }] }\npersonas: { s: { adapter: command, command: 'true' } }\n";
  const files = { "wave.yaml": tested, "check.sh": "exit 0\n" };
  const comment = { comment: { id: 1, body: "/go", user: { login: "mona" } }, issue: { number: 7, pull_request: {} } };
  const verdicts = () => github.state.checks.map(({ conclusion }) => conclusion);

  /** How each row makes its job, by the commit that is checked out and the event. */
  const ran: readonly (readonly [string, (rig: PullRequestRig) => Parameters<PullRequestRig["job"]>[0]])[] = [
    ["the head", ({ head }) => ({ commit: head })],
    ["the merge commit that the event names", ({ merge }) => ({ commit: merge, sha: merge })],
    ["a merge commit of the head that the event does not name", ({ merge }) => ({ commit: merge })],
    [
      "the merge commit after a comment",
      ({ merge, base }) => ({ commit: merge, sha: base, ref: "refs/heads/main", eventName: "issue_comment", event: comment }),
    ],
  ];
  test.each(ran)("is a success for %s", async (_name, request) => {
    const rig = openPullRequest(github, files);
    const job = await rig.job(request(rig));
    expect([job.code, verdicts()], job.log).toEqual([0, ["success", "success"]]);
    expect(new Set(github.state.checks.map(({ head_sha }) => head_sha))).toEqual(new Set([rig.head]));
  });

  const notRun: readonly (readonly [string, (rig: PullRequestRig) => Parameters<PullRequestRig["job"]>[0]])[] = [
    [
      "a comment with the default checkout",
      ({ base }) => ({ commit: base, sha: base, ref: "refs/heads/main", eventName: "issue_comment", event: comment }),
    ],
    ["a pull request with a checkout of its base", ({ base }) => ({ commit: base })],
    [
      "`pull_request_target` with the default checkout",
      ({ base }) => ({
        commit: base,
        sha: base,
        ref: "refs/heads/main",
        eventName: "pull_request_target",
        inputs: { "allow-pull-request-target": "true", comment: "true" },
      }),
    ],
    ["a push with a checkout of another branch", ({ base }) => ({ commit: base, eventName: "push", event: {}, ref: "refs/heads/feature" })],
    [
      "a push with a checkout of the merge that follows it",
      ({ base, merge }) => ({ commit: merge, sha: base, eventName: "push", event: {}, ref: "refs/heads/main" }),
    ],
  ];
  test.each(notRun)("needs action after %s, and names both commits", async (name, request) => {
    // A push of the merge itself runs the pull request's files, which pass there.
    const rig = openPullRequest(github, files, name.includes("merge") ? {} : { "check.sh": "exit 1\n" });
    const asked = request(rig);
    const job = await rig.job(asked);
    expect([job.code, verdicts()], job.log).toEqual([0, ["action_required", "action_required"]]);
    const expected = asked?.eventName === "push" ? (asked.sha ?? rig.head) : rig.head;
    for (const { head_sha, output } of github.state.checks) {
      expect(head_sha).toBe(expected);
      expect(output.title).toContain(`commit ${asked?.commit?.slice(0, 12)} was run instead of ${expected.slice(0, 12)}`);
    }
  });

  test("needs action where no commit is checked out", async () => {
    const rig = openPullRequest(github, files);
    const workspace = rig.remote.checkout(rig.head);
    rmSync(`${workspace}/.git`, { recursive: true });
    const job = await rig.job({ workspace });
    expect([job.code, verdicts()], job.log).toEqual([0, ["action_required", "action_required"]]);
    expect(github.state.checks[0]?.output.title).toContain(`the project is not a checkout of commit ${rig.head.slice(0, 12)}`);
  });

  test("needs action after a resume of a run whose other steps were run on another commit", async () => {
    const steps = "[{ id: a, persona: a, task: x }, { id: b, persona: b, task: x, dependencies: [a] }]";
    const rig = openPullRequest(
      github,
      {
        "wave.yaml": `pipeline: { name: p, steps: ${steps} }\npersonas: { a: { adapter: command, command: 'test -e good' }, b: { adapter: command, command: 'test -e fixed' } }\n`,
        good: "",
      },
      { good: undefined, fixed: "" },
    );
    const workspace = rig.remote.checkout(rig.base);
    const runnerTemp = mkdtempSync(path.join(tmpdir(), "wave-runner-temp-"));
    onTestFinished(() => rmSync(runnerTemp, { recursive: true, force: true }));
    const push = { workspace, runnerTemp, eventName: "push", event: {}, ref: "refs/heads/feature" };
    const first = await rig.job(push);
    execFileSync("git", ["fetch", "-q", "--depth=1", "origin", rig.head], { cwd: workspace });
    execFileSync("git", ["checkout", "-q", "--detach", rig.head], { cwd: workspace });
    github.state.checks.splice(0);
    const second = await rig.job(push);
    expect(second.outputs["run-id"]).toBe(first.outputs["run-id"]);
    expect([first.code, second.code, verdicts()], second.log).toEqual([1, 0, ["action_required"]]);
    expect(github.state.checks[0]?.output.title).toContain(`commit ${rig.base.slice(0, 12)} was run instead of ${rig.head.slice(0, 12)}`);
  });

  test("and the comment name the commit that was run", async () => {
    const rig = openPullRequest(github, files);
    await rig.job({ commit: rig.merge, sha: rig.merge, inputs: { comment: "true" } });
    expect(github.state.comments[0]?.body).toContain(`Commit <code>${rig.merge.slice(0, 12)}</code>`);
    expect(github.state.checks[0]?.output.summary).toContain(`commit <code>${rig.merge.slice(0, 12)}</code>`);
    await rig.job({ commit: rig.base, runId: 101, inputs: { comment: "true" } });
    expect(github.state.comments[0]?.body).toContain(`commit ${rig.base.slice(0, 12)} was run instead of ${rig.head.slice(0, 12)}`);
  });
});

/** A repository in which one step with `reuse: true` prints ignored files, after one run that passed. */
async function reusing(
  ignored: string,
  step: string,
  files: Readonly<Record<string, string>>,
  command = "cat conf.local > $WAVE_OUTPUT_DIR/out || true",
): Promise<Project> {
  const wave = gitRepository({
    "wave.yaml": `pipeline: { name: p, steps: [{ id: a, persona: s, task: x, artifacts: [out], ${step} }] }\npersonas: { s: { adapter: command, command: ${JSON.stringify(command)} } }\n`,
    ".gitignore": `.wave/state/\n${ignored}\n`,
    "package-lock.json": "{}\n",
  });
  wave.write(files);
  const first = await wave.wave("run");
  expect(first, first.stderr).toMatchObject({ code: 0 });
  return wave;
}

const planned = async (wave: Project) => (await wave.wave("plan", "--detailed-exitcode")).code;

describe("an ignored file", () => {
  test("that a rule names is read again after it changed", async () => {
    const wave = await reusing("conf.local", 'reuse: true, permissions: { allow: ["file_read:conf.local"] }', { "conf.local": "one\n" });
    expect(await planned(wave)).toBe(0);
    wave.write({ "conf.local": "two\n" });
    expect(await planned(wave)).toBe(3);
    expect((await wave.wave("run")).code).toBe(0);
    const digests = wave.events().flatMap((event) => (event.type === "attempt-passed" ? event.artifacts.map(({ digest }) => digest) : []));
    expect(new Set(digests.map((digest) => artifactText(wave.root, digest)))).toEqual(new Set(["one\n", "two\n"]));
  });

  test.each([
    ["that a step without rules can read", "dist/", "reuse: true", "dist/app.js", 3],
    ["that no rule of the step allows", "conf.local", 'reuse: true, permissions: { allow: ["file_read:src/**"] }', "conf.local", 0],
    [
      "that a contract's command can read",
      "conf.local",
      'reuse: true, permissions: { allow: ["file_read:src/**"] }, handover: { contract: { type: test_suite, command: "true" } }',
      "conf.local",
      3,
    ],
    ["that `reuse: { ignore }` names", "*.log", 'reuse: { ignore: ["*.log"] }', "a.log", 0],
    ["of the state directory", "*.log", "reuse: true", ".wave/state/note.log", 0],
  ])("%s decides about reuse as documented", async (_case, ignored, step, file, code) => {
    const wave = await reusing(ignored, step, { [file]: "one\n" }, "echo x > $WAVE_OUTPUT_DIR/out");
    expect(await planned(wave)).toBe(0);
    wave.write({ [file]: "two\n" });
    expect(await planned(wave)).toBe(code);
  });

  test("of a dependency directory counts by its name and size, and the plan shows its lockfile", async () => {
    const wave = await reusing("node_modules/", "reuse: true", { "node_modules/m/index.js": "one\n" }, "echo x > $WAVE_OUTPUT_DIR/out");
    expect((await wave.wave("plan")).stdout).toContain("node_modules is compared by package-lock.json and the names and sizes");
    wave.write({ "node_modules/m/index.js": "two\n" });
    expect(await planned(wave)).toBe(0);
    wave.write({ "node_modules/m/index.js": "longer\n" });
    expect(await planned(wave)).toBe(3);
  });

  test.each(["conf.", "note.", "conf.d/\xff/", "note.d/\xff/"])(
    "and any other whose name is not UTF-8 counts by its content (%j)",
    async (name) => {
      const wave = await reusing("conf.*", "reuse: true", { "conf.d/a": "a\n", "note.d/a": "a\n" }, "echo x > $WAVE_OUTPUT_DIR/out");
      const file = Buffer.concat([Buffer.from(`${wave.root}/`), Buffer.from(`${name}\xfe`, "latin1")]);
      const write = (text: string) => {
        mkdirSync(file.subarray(0, file.lastIndexOf("/")), { recursive: true });
        writeFileSync(file, text);
      };
      write("one\n");
      expect((await wave.wave("run")).code).toBe(0);
      expect(await planned(wave)).toBe(0);
      write("two\n");
      expect(await planned(wave)).toBe(3);
    },
  );

  test.each([
    ["without a lockfile", {}],
    ["with a lockfile that git does not track", { "Cargo.lock": "x\n" }],
  ])("of `target` %s counts by its content", async (_case, files) => {
    const wave = await reusing("target/", "reuse: true", { ...files, "target/a": "one\n" }, "echo x > $WAVE_OUTPUT_DIR/out");
    expect(await planned(wave)).toBe(0);
    wave.write({ "target/a": "two\n" });
    expect(await planned(wave)).toBe(3);
  });
});
