/** Who may start a job, through the bundle: a payload for each event that GitHub can start a workflow with. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { gitRemote, type Remote } from "../rig/actions/remote.ts";
import { type JobRequest, type JobResult, runJob } from "../rig/actions/runner.ts";
import { type GitHubServer, startGitHub } from "../rig/github/server.ts";

const step = "steps: [{ id: a, persona: p }]\npersonas: { p: { command: 'true' } }\n";

let github: GitHubServer;
beforeAll(async () => {
  github = await startGitHub({ permissions: { mona: "write", stranger: "read" } });
});
afterAll(() => github.close());
afterEach(() => {
  expect(github.invalid.splice(0)).toEqual([]);
});

interface Checkout {
  readonly remote: Remote;
  readonly base: string;
  readonly head: string;
}

/** The head has a manifest that is not valid, so a job that passes has read the base's. */
function checkout(): Checkout {
  const remote = gitRemote();
  const base = remote.commit("main", { "wave.yaml": `name: base\n${step}` });
  const head = remote.commit("feature", { "wave.yaml": "of: [the, head" }, "main");
  github.state.repository = remote.directory;
  github.state.pulls.set(7, { number: 7, head, base, fork: true, files: [] });
  return { remote, base, head };
}

/** `validate` executes nothing; it fails if the manifest is not valid. */
async function start(eventName: string, event: unknown, { at = "base", ...more }: Partial<JobRequest> & { at?: "base" | "head" } = {}) {
  const { remote, base, head } = checkout();
  const result = await runJob({
    ...{
      workspace: remote.checkout(at === "base" ? base : head),
      sha: base,
      eventName,
      apiUrl: github.url,
      event: withCommits(event, base, head),
    },
    ...more,
    inputs: { command: "validate", checks: "none", cache: "false", artifacts: "false", ...more.inputs },
  });
  return result;
}

function withCommits(event: unknown, base: string, head: string): unknown {
  return typeof event === "string" ? event : JSON.parse(JSON.stringify(event).replaceAll("BASE", base).replaceAll("HEAD", head));
}

const outcome = ({ code, outputs }: JobResult) => ({ code, status: outputs["status"] });
const passed = { code: 0, status: "passed" };
const refused = { code: 0, status: "refused" };
const reason = ({ annotations }: JobResult) => annotations.map(({ message }) => message).join();

const by = (login: string) => ({ user: { login }, author_association: "OWNER" });
const text = (login: string) => ({ id: 1, body: "/wave run", ...by(login) });
const issue = (login: string) => ({ number: 3, ...by(login) });
const pull = (fork: boolean) => ({
  number: 7,
  ...by("stranger"),
  head: { sha: "HEAD", repo: { full_name: fork ? "stranger/demo" : "octo/demo" } },
  base: { sha: "BASE", ref: "main", repo: { full_name: "octo/demo" } },
});
const follows = (event: string, head: string) => ({
  action: "completed",
  workflow_run: { event, actor: { login: "mona" }, head_repository: { full_name: head }, repository: { full_name: "octo/demo" } },
});

describe("an event that only accounts with write access can cause", () => {
  it.each<[string, unknown]>([
    ["branch_protection_rule", { action: "created", rule: {} }],
    ["create", { ref: "feature", ref_type: "branch" }],
    ["delete", { ref: "feature", ref_type: "branch" }],
    ["image_version", { action: "ready" }],
    ["merge_group", { action: "checks_requested", merge_group: { head_sha: "HEAD", base_sha: "BASE" } }],
    ["page_build", { build: { status: "built" } }],
    ["public", {}],
    ["push", { ref: "refs/heads/main", after: "BASE" }],
    ["release", { action: "published", release: { tag_name: "v1" } }],
    ["repository_dispatch", { action: "run", client_payload: {} }],
    ["schedule", { schedule: "0 0 * * *" }],
    ["workflow_dispatch", { inputs: null }],
    ["workflow_run", follows("push", "octo/demo")],
    ["workflow_run", follows("pull_request", "octo/demo")],
    ["pull_request", { action: "opened", pull_request: pull(false) }],
  ])("starts a job by `%s` with the checkout's manifest", async (eventName, event) => {
    expect(outcome(await start(eventName, event, { actor: "any[bot]" }))).toEqual(passed);
  });
});

describe("an event that strangers can cause", () => {
  const events: [string, Readonly<Record<string, unknown>>][] = [
    ["check_run", { action: "completed", check_run: { head_sha: "HEAD" } }],
    ["check_suite", { action: "completed", check_suite: { head_sha: "HEAD" } }],
    ["commit_comment", { action: "created", comment: text("ACTOR") }],
    ["deployment", { action: "created", deployment: { sha: "BASE" } }],
    ["deployment_status", { action: "created", deployment: { sha: "BASE" }, deployment_status: { state: "success" } }],
    ["discussion", { action: "created", discussion: issue("ACTOR") }],
    ["discussion_comment", { action: "created", discussion: issue("mona"), comment: text("ACTOR") }],
    ["fork", { forkee: { full_name: "stranger/demo" } }],
    ["gollum", { pages: [] }],
    ["issue_comment", { action: "created", issue: issue("mona"), comment: text("ACTOR") }],
    ["issues", { action: "opened", issue: issue("ACTOR") }],
    ["issues", { action: "labeled", issue: issue("stranger"), label: { name: "wave" } }],
    ["label", { action: "created", label: { name: "x" } }],
    ["milestone", { action: "created", milestone: { number: 1 } }],
    ["project", { action: "created" }],
    ["project_card", { action: "created" }],
    ["project_column", { action: "created" }],
    ["pull_request_comment", { action: "created", issue: issue("mona"), comment: text("ACTOR") }],
    ["pull_request_review", { action: "submitted", pull_request: pull(false), review: text("ACTOR") }],
    ["pull_request_review_comment", { action: "created", pull_request: pull(false), comment: text("ACTOR") }],
    ["registry_package", { action: "published", registry_package: { id: 1 } }],
    ["status", { state: "success", sha: "HEAD" }],
    ["watch", { action: "started" }],
  ];
  const of = (event: object, login: string) => JSON.parse(JSON.stringify(event).replaceAll("ACTOR", login)) as object;

  it.each(events)("starts no job by `%s` of an account that may only read: %j", async (eventName, event) => {
    const result = await start(eventName, of(event, "stranger"), { actor: "stranger" });
    expect(outcome(result)).toEqual(refused);
    expect(reason(result)).toContain(`the \`${eventName}\` event was caused by stranger, who has no write access to this repository`);
  });

  it.each(events)("starts a job by `%s` of an account with write access: %j", async (eventName, event) => {
    expect(outcome(await start(eventName, of(event, "mona"), { actor: "mona" }))).toEqual(passed);
  });
});

describe("the manifest", () => {
  it.each<[string, unknown, Readonly<Record<string, string>>]>([
    ["pull_request", { action: "opened", pull_request: pull(true) }, {}],
    ["pull_request_target", { action: "opened", pull_request: pull(true) }, { "allow-pull-request-target": "true" }],
    ["pull_request_review", { action: "submitted", pull_request: pull(true), review: text("mona") }, {}],
    ["pull_request_review_comment", { action: "created", pull_request: pull(true), comment: text("mona") }, {}],
    ["issue_comment", { action: "created", issue: { number: 7, pull_request: {} }, comment: text("mona") }, {}],
    ["issue_comment", { action: "created", issue: issue("stranger"), comment: text("mona") }, {}],
    ["issues", { action: "labeled", issue: issue("stranger") }, {}],
    ["check_run", { action: "completed", check_run: { head_sha: "HEAD" } }, {}],
    ["status", { state: "success", sha: "HEAD" }, {}],
    ["workflow_run", follows("pull_request", "stranger/demo"), { "allow-pull-request-target": "true" }],
  ])("is not the one of a fork's commit that the workflow checks out on `%s`", async (eventName, event, inputs) => {
    expect(outcome(await start(eventName, event, { at: "head", inputs }))).toEqual(passed);
  });

  it("is the checkout's for a pull request of this repository", async () => {
    const result = await start("pull_request", { action: "opened", pull_request: pull(false) }, { at: "head" });
    expect({ code: result.code, status: result.outputs["status"] }).toEqual({ code: 2, status: "failed" });
  });
});

describe("a job is refused", () => {
  it.each<[string, string, unknown, Partial<JobRequest>]>([
    ["a fork's pull request by `pull_request_target`", "pull_request_target", { pull_request: pull(true) }, {}],
    ["a workflow run of a fork's pull request", "workflow_run", follows("pull_request", "stranger/demo"), {}],
    ["a workflow run of a deleted fork", "workflow_run", { workflow_run: { event: "pull_request", head_repository: null } }, {}],
    ["a workflow run after a comment", "workflow_run", follows("issue_comment", "octo/demo"), {}],
    ["a workflow run whose cause is a workflow run", "workflow_run", follows("workflow_run", "octo/demo"), {}],
    [
      "a maintainer's edit of a stranger's comment",
      "issue_comment",
      { action: "edited", issue: issue("mona"), comment: text("stranger") },
      {},
    ],
    ["a maintainer's edit of a stranger's issue", "issues", { action: "edited", issue: issue("stranger") }, {}],
    [
      "a maintainer who dismisses a stranger's review",
      "pull_request_review",
      { action: "dismissed", pull_request: pull(false), review: text("stranger") },
      {},
    ],
    ["a deleted comment", "issue_comment", { action: "deleted", issue: issue("mona"), comment: text("mona") }, {}],
    [
      "a deleted review comment",
      "pull_request_review_comment",
      { action: "deleted", pull_request: pull(false), comment: text("mona") },
      {},
    ],
    ["a deleted release", "release", { action: "deleted", release: {} }, {}],
    [
      "a comment of a deleted account",
      "issue_comment",
      { action: "created", issue: issue("mona"), comment: { ...text("x"), user: null } },
      {},
    ],
    [
      "a stranger's comment that a maintainer re-runs",
      "issue_comment",
      { action: "created", issue: issue("mona"), comment: text("stranger") },
      { actor: "stranger", attempt: 2, triggeringActor: "mona" },
    ],
    [
      "a bot that is not named",
      "issue_comment",
      { action: "created", issue: issue("mona"), comment: text("ci[bot]") },
      { actor: "ci[bot]" },
    ],
    [
      "a named bot that edits a stranger's comment",
      "issue_comment",
      { action: "edited", issue: issue("mona"), comment: text("stranger") },
      { actor: "ci[bot]", inputs: { "trusted-bots": "ci[bot]" } },
    ],
    ["a named bot that deploys", "deployment_status", { action: "created" }, { actor: "ci[bot]", inputs: { "trusted-bots": "ci[bot]" } }],
    ["a called workflow's own event", "workflow_call", {}, {}],
    ["an event that is not in the table", "dynamic", {}, {}],
    ["a pull request whose payload cannot be read", "pull_request", "{", {}],
    ["a comment whose payload cannot be read", "issue_comment", "", {}],
    [
      "a comment without a token to ask with",
      "issue_comment",
      { action: "created", issue: issue("mona"), comment: text("mona") },
      { inputs: { "github-token": "" } },
    ],
    [
      "a comment on a pull request that GitHub does not show",
      "issue_comment",
      { action: "created", issue: { number: 8, pull_request: {} }, comment: text("mona") },
      {},
    ],
  ])("for %s", async (_what, eventName, event, more) => {
    const result = await start(eventName, event, more);
    expect(outcome(result)).toEqual(refused);
    expect(reason(result)).toMatch(/^Nothing was run: .+\. To change that, .+\.$/);
  });
});

describe("a job starts", () => {
  it.each<[string, unknown, Partial<JobRequest>]>([
    [
      "a bot that is named",
      { action: "created", issue: issue("mona"), comment: text("ci[bot]") },
      { actor: "ci[bot]", inputs: { "trusted-bots": "ci[bot]" } },
    ],
    [
      "a maintainer's comment that a bot re-runs",
      { action: "created", issue: issue("mona"), comment: text("mona") },
      { attempt: 2, triggeringActor: "ci[bot]" },
    ],
  ])("for %s", async (_what, event, more) => {
    expect(outcome(await start("issue_comment", event, more))).toEqual(passed);
  });
});
