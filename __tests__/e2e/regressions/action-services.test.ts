/** Writes to GitHub on bad days of its services: each is made once, and the result is the run's. Through the bundles, on the rig. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ourselves } from "../../rig/github/answers.ts";
import { openPullRequest } from "../../rig/github/pull-request.ts";
import { type GitHubServer, startGitHub } from "../../rig/github/server.ts";

/** One step that leaves a text and a review, which are published. */
const manifest = `
pipeline:
  name: p
  publish: [{ pr_comment: { artifact: notes } }, { pr_review: { artifact: review } }]
  steps: [{ id: a, persona: s, task: x, artifacts: [notes, review] }]
personas:
  s: { adapter: command, command: 'echo well > $WAVE_OUTPUT_DIR/notes.md; cp review.json $WAVE_OUTPUT_DIR/' }
`;
const review = JSON.stringify({ body: "fine", comments: [{ path: "src/a.js", line: 2, body: "look" }] });
const patches = [{ filename: "src/a.js", patch: "@@ -1,3 +1,3 @@\n 1;\n-2;\n+two;\n 3;" }];

let github: GitHubServer;
beforeAll(async () => {
  github = await startGitHub();
});
afterAll(() => github.close());
beforeEach(() => {
  const { checks, comments, reviews } = github.state;
  for (const list of [checks, comments, reviews, github.requests, github.faults]) list.splice(0);
  github.state.account = ourselves;
});
afterEach(() => {
  expect(github.invalid.splice(0)).toEqual([]);
});

/** Pull request 7, whose job publishes a comment and a review. */
function publishing() {
  return openPullRequest(github, { "wave.yaml": manifest, "review.json": review }, { "src/a.js": "1;\ntwo;\n3;\n" }, { patches });
}

const comments = () => github.state.comments.map(({ login, body }) => `${login}: ${body.split("\n")[0]}`);
const called = (operation: string) => github.requests.filter((request) => request.operation === operation).length;

describe("a write whose answer was lost", () => {
  const faults = [
    ["502", {}],
    ["a dropped connection", { answer: "dropped" }],
    ["half of an answer", { answer: "broken" }],
  ] as const;
  const operations = ["checks/create", "issues/create-comment", "pulls/create-review"] as const;
  const cases = faults.flatMap(([what, fault]) => operations.map((operation) => [operation, what, fault] as const));

  test.each(cases)(
    "is not repeated if GitHub carried it out: %s, %s",
    async (operation, _, fault) => {
      github.faults.push({ operation, ...fault, carriesOut: true, times: 1 });
      const result = await publishing().job({ inputs: { comment: "true" } });
      expect({ code: result.code, log: result.code === 0 ? "" : result.log }).toEqual({ code: 0, log: "" });
      expect(github.state.checks.map(({ name, conclusion }) => `${name} ${conclusion}`)).toEqual(["wave / p (build) success"]);
      expect(comments()).toEqual([`${ourselves}: <!-- wave:artifact:p:notes -->`, `${ourselves}: <!-- wave:result:p: -->`]);
      expect(github.state.reviews).toHaveLength(1);
    },
    60_000,
  );

  test.each(cases)(
    "is repeated if GitHub did not carry it out: %s, %s",
    async (operation, _, fault) => {
      github.faults.push({ operation, ...fault, times: 1 });
      const result = await publishing().job({ inputs: { comment: "true" } });
      expect({ code: result.code, log: result.code === 0 ? "" : result.log }).toEqual({ code: 0, log: "" });
      expect([github.state.checks.length, comments().length, github.state.reviews.length]).toEqual([1, 2, 1]);
    },
    60_000,
  );

  test("is not repeated if it cannot be looked up", async () => {
    github.faults.push(
      { operation: "checks/create", carriesOut: true, times: 1 },
      { operation: "checks/list-for-ref", status: 403, message: "Resource not accessible by integration" },
    );
    expect((await publishing().job({ inputs: { checks: "pipeline" } })).code).toBe(0);
    expect(github.state.checks).toHaveLength(1);
  }, 60_000);

  test("adds the annotations of a check once", async () => {
    const printing = Array.from({ length: 120 }, (_, at) => `echo "src/a.js:1:1: error: failure ${at}"`).join("\n");
    const contract = "handover: { contract: { name: t, type: test_suite, command: [sh, check.sh] } }";
    const text = `
pipeline: { name: p, steps: [{ id: a, persona: s, task: x, ${contract} }] }
personas: { s: { adapter: command, command: "true" } }
`;
    github.faults.push({ operation: "checks/update", carriesOut: true, times: 1 });
    const { job } = openPullRequest(github, { "wave.yaml": text, "src/a.js": "1;\n", "check.sh": `${printing}\nexit 1\n` });
    expect((await job()).code).toBe(1);
    expect(github.state.checks.find(({ name }) => name.includes("a: t"))?.annotations).toHaveLength(121);
  }, 60_000);
});

describe("comments and reviews", () => {
  const ghs = "ghs_rigtoken0000000000000000000000000000";
  const three = async (account: string, token: string) => {
    github.state.account = account;
    const { job } = publishing();
    for (const attempt of [1, 2, 3]) {
      const result = await job({ attempt, inputs: { "github-token": token, comment: "true", reuse: "false" } });
      expect({ code: result.code, log: result.code === 0 ? "" : result.log }).toEqual({ code: 0, log: "" });
    }
  };

  test.each([
    ["the job's own token", ourselves, ghs],
    ["a user's token", "octocat", "github_pat_rig"],
    ["a user's token in an older format", "octocat", "0123456789abcdef0123456789abcdef01234567"],
    ["an app's token", "acme-ci[bot]", ghs],
    ["an app's token in an older format", "acme-ci[bot]", "v1.0123456789abcdef0123456789abcdef01234567"],
  ])(
    "do not multiply with %s",
    async (_, account, token) => {
      await three(account, token);
      expect(comments()).toEqual([`${account}: <!-- wave:artifact:p:notes -->`, `${account}: <!-- wave:result:p: -->`]);
      expect(github.state.reviews).toHaveLength(1);
    },
    60_000,
  );

  test.each([
    ["a user's token", "octocat", "github_pat_rig"],
    ["the job's own token", ourselves, ghs],
  ])(
    "of another account are neither edited nor trusted with %s, even with a copied marker",
    async (_, account, token) => {
      github.state.account = account;
      const { job, head } = publishing();
      await job({ inputs: { "github-token": token, comment: "true" } });
      const copied = github.state.comments.map(({ body }, at) => ({
        id: 100 + at,
        issue: 7,
        login: at === 0 ? "mallory" : "evil[bot]",
        body,
      }));
      const copiedReviews = github.state.reviews.map((one) => ({ ...one, id: 100, login: "mallory", commit_id: head }));
      github.state.comments.splice(0, Number.POSITIVE_INFINITY, ...structuredClone(copied));
      github.state.reviews.splice(0, Number.POSITIVE_INFINITY, ...copiedReviews);
      await three(account, token);
      expect(github.state.comments.slice(0, 2)).toEqual(copied);
      expect(github.state.comments.slice(2).map(({ login }) => login)).toEqual([account, account]);
      expect(github.state.reviews.map(({ login }) => login)).toEqual(["mallory", account]);
    },
    60_000,
  );

  test("cost no question about the account where no comment has a marker", async () => {
    github.state.account = "octocat";
    github.state.comments.push({ id: 1, issue: 7, login: "mallory", body: "first" });
    await publishing().job({ inputs: { "github-token": "github_pat_rig" } });
    expect([called("users/get-authenticated"), called("graphql")]).toEqual([0, 0]);
  });
});
