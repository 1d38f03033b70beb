/** Writes to GitHub on bad days of its services: each is made once, and the result is the run's. Through the bundles, on the rig. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ResultsService, startResultsService } from "../../rig/actions/results-service.ts";
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
let service: ResultsService;
beforeAll(async () => {
  [github, service] = await Promise.all([startGitHub(), startResultsService()]);
});
afterAll(() => Promise.all([github.close(), service.close()]));
beforeEach(() => {
  for (const list of [service.artifacts, service.caches, service.faults, service.calls]) list.splice(0);
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

/** The author and the marker of each comment, without the digest of what its job is about. */
const comments = () =>
  github.state.comments.map(({ login, body }) => `${login}: ${body.split("\n")[0]?.replace(/:[0-9a-f]{12} -->/, " -->")}`);
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
      expect(comments()).toEqual([`${ourselves}: <!-- wave:artifact:p:notes: -->`, `${ourselves}: <!-- wave:result:p: -->`]);
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
    expect((await judging().job({ inputs: { checks: "pipeline" } })).code).toBe(0);
    expect(github.state.checks).toHaveLength(1);
  }, 60_000);

  test("is found at the end if it could not be looked up before", async () => {
    github.faults.push(
      { operation: "checks/create", carriesOut: true, times: 1 },
      { operation: "checks/list-for-ref", status: 404, times: 1 },
      { operation: "checks/create", carriesOut: true, times: 1, after: 1 },
    );
    expect((await judging().job()).code).toBe(0);
    expect(checks().toSorted()).toEqual(allPassed.toSorted());
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

/** One step with two contracts, and no publication. */
const judged = `
pipeline:
  name: p
  steps:
    - { id: a, persona: s, task: x, handover: { contracts: [{ name: t, type: test_suite, command: [sh, check.sh] }, { name: u, type: test_suite, command: ["true"] }] } }
personas: { s: { adapter: command, command: "true" } }
`;
const judging = (check = "exit 0") => openPullRequest(github, { "wave.yaml": judged, "check.sh": `${check}\n` });
const checks = () => github.state.checks.map(({ name, conclusion }) => `${name}: ${conclusion}`);
const allPassed = ["wave / p (build): success", "wave / p / a: t (build): success", "wave / p / a: u (build): success"];

describe("a rate limit", () => {
  const secondary = { status: 403, message: "You have exceeded a secondary rate limit", headers: { "retry-after": "2" } };

  test.each([
    ["the first write of a check", "checks/create", 0],
    ["a contract's check", "checks/create", 1],
    ["the last update of a check", "checks/update", 1],
  ])(
    "on %s is waited for, and every check has its verdict",
    async (_, operation, after) => {
      github.faults.push({ operation, ...secondary, after, times: 1 });
      const startedAt = performance.now();
      const result = await judging().job();
      // Warnings are about the cache and artifact services, which this job does not have.
      expect({ code: result.code, said: result.annotations.filter(({ level }) => level !== "warning") }).toEqual({ code: 0, said: [] });
      expect(checks().toSorted()).toEqual(allPassed.toSorted());
      expect(performance.now() - startedAt).toBeGreaterThan(2000);
    },
    60_000,
  );

  test("that names only the time of its reset is waited for", async () => {
    const reset = String(Math.ceil(Date.now() / 1000) + 3);
    github.faults.push({
      operation: "issues/create-comment",
      status: 403,
      message: "API rate limit exceeded",
      headers: { "x-ratelimit-reset": reset },
      times: 1,
    });
    const result = await publishing().job();
    expect({ code: result.code, comments: comments() }).toEqual({ code: 0, comments: [`${ourselves}: <!-- wave:artifact:p:notes: -->`] });
  }, 60_000);

  test("that lasts too long is not reported as a missing permission", async () => {
    github.faults.push({ operation: "issues/create-comment", ...secondary, headers: { "retry-after": "3600" } });
    const result = await publishing().job();
    expect(result.code).toBe(1);
    expect(result.log).toContain("run the job again later");
    expect(result.log + JSON.stringify(result.annotations)).not.toContain("permission");
  }, 60_000);

  test("that lasts too long leaves the verdict of a failed run in the log", async () => {
    github.faults.push({ operation: "checks/create", ...secondary, headers: { "retry-after": "3600" } });
    const result = await judging("exit 1").job();
    expect({ code: result.code, errors: result.annotations.filter(({ level }) => level === "error").length }).toEqual({
      code: 1,
      errors: 1,
    });
    expect(github.requests.filter(({ operation }) => operation.startsWith("checks/"))).toHaveLength(1);
  }, 60_000);

  test("that outlasts the job leaves the verdict to `post`", async () => {
    github.faults.push({ operation: "checks/update", ...secondary, headers: { "retry-after": "4" }, after: 1, times: 1 });
    // The run has ended when its last line is printed; the job still waits.
    const result = await judging().job({ inputs: { checks: "pipeline" }, cancelAt: (line) => line.includes("✓ run passed") });
    expect(result.post?.code).toBe(0);
    expect(checks()).toEqual(["wave / p (build): success"]);
  }, 60_000);
});

describe("checks", () => {
  test.each([
    ["the first write", "checks/create", 0],
    ["a contract's check", "checks/create", 1],
    ["an update", "checks/update", 0],
  ])(
    "are all written although one request, %s, is answered with 404",
    async (_, operation, after) => {
      github.faults.push({ operation, status: 404, message: "Not Found", after, times: 1 });
      const result = await judging().job();
      expect(result.code).toBe(0);
      expect(checks().toSorted()).toEqual(allPassed.toSorted());
    },
    60_000,
  );

  test("of a lost machine are completed by the next attempt", async () => {
    const { job, head } = judging("sleep 30");
    await job({ killAt: (line) => line.includes("▶ a started") });
    expect(checks()).toEqual(["wave / p (build): null"]);
    const [lost] = github.state.checks;
    // These are not of an earlier attempt of this run.
    const foreign = [
      { external_id: "wave:ffffffffffff:1", details_url: "https://github.com/octo/demo/actions/runs/99/attempts/1" },
      { external_id: "other", details_url: "https://example.com" },
    ].map((words, at) => ({ ...structuredClone(lost as NonNullable<typeof lost>), ...words, id: 100 + at, head_sha: head }));
    github.state.checks.push(...foreign);
    expect((await job({ attempt: 2, env: {}, cancelAt: (line) => line.includes("▶ a started") })).code).toBe(130);
    const [first, ...others] = github.state.checks;
    expect([first?.status, first?.conclusion, first?.output.title]).toEqual([
      "completed",
      "cancelled",
      "the machine of attempt 1 was lost",
    ]);
    expect(others.slice(0, 2).map(({ status }) => status)).toEqual(["in_progress", "in_progress"]);
    expect(others[2]).toMatchObject({ name: "wave / p (build)", conclusion: "cancelled", external_id: expect.stringMatching(/:2$/) });
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
      expect(comments()).toEqual([`${account}: <!-- wave:artifact:p:notes: -->`, `${account}: <!-- wave:result:p: -->`]);
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

  test("are not written twice while GitHub does not answer whose token it is", async () => {
    github.state.account = "octocat";
    const { job } = publishing();
    const inputs = { "github-token": "github_pat_rig", checks: "none", reuse: "false" };
    expect((await job({ inputs })).code).toBe(0);
    github.faults.push({ operation: "users/get-authenticated", status: 502 });
    const result = await job({ attempt: 2, inputs });
    expect({ code: result.code, comments: comments().length, reviews: github.state.reviews.length }).toEqual({
      code: 1,
      comments: 1,
      reviews: 1,
    });
    expect(called("graphql")).toBe(0);
  }, 60_000);

  test("cost no question about the account where no comment has a marker", async () => {
    github.state.account = "octocat";
    github.state.comments.push({ id: 1, issue: 7, login: "mallory", body: "first" });
    await publishing().job({ inputs: { "github-token": "github_pat_rig" } });
    expect([called("users/get-authenticated"), called("graphql")]).toEqual([0, 0]);
  });
});

describe("a service that does not answer", () => {
  /** Seconds from the start of a job to its end, `post` included, and the warnings of both. */
  const job = async (more: Partial<Parameters<ReturnType<typeof publishing>["job"]>[0]> = {}) => {
    const startedAt = performance.now();
    const environment = service.environment({ runId: 100, job: "build", attempt: 1, ref: "refs/heads/main" });
    const result = await publishing().job({ service: environment, inputs: { comment: "true", cache: "false" }, ...more });
    const warnings = [...result.annotations, ...(result.post?.annotations ?? [])].filter(({ level }) => level === "warning");
    return { ...result, seconds: (performance.now() - startedAt) / 1000, warnings: warnings.map(({ message }) => message) };
  };
  const methods = ["CreateArtifact", "ListArtifacts", "FinalizeArtifact"];

  test("is given up: artifacts, after two time-outs, in one warning with the time", async () => {
    service.faults.push(...methods.map((method) => ({ method, hang: true as const })));
    const result = await job();
    expect([result.code, result.outputs["status"], result.warnings]).toEqual([
      0,
      "passed",
      [expect.stringMatching(/^the artifact service does not answer: given up after \d+ s, and not used for the rest of the job$/)],
    ]);
    expect(result.seconds).toBeLessThan(60);
    expect(JSON.parse(result.outputs["artifacts"] ?? "")).toMatchObject({ notes: { step: "a" } });
  }, 120_000);

  test("is given up: artifacts, after some seconds of 5xx, and `post` does not start over", async () => {
    service.faults.push(...methods.map((method) => ({ method, status: 503 })));
    const result = await job();
    expect([result.code, result.warnings]).toEqual([
      0,
      [expect.stringMatching(/^the artifact service does not answer: given up after \d+ s/)],
    ]);
    expect(result.seconds).toBeLessThan(30);
    expect(JSON.parse(result.state["services"] ?? "")).toMatchObject({ artifacts: { isGivenUp: true } });
    expect(result.post?.annotations).toEqual([]);
  }, 120_000);

  test("is given up: the storage of artifacts, although their service answers", async () => {
    const hanging = createServer().listen(0, "127.0.0.1");
    await once(hanging, "listening");
    const { signedUrl } = service.storage;
    const { port } = hanging.address() as AddressInfo;
    Object.assign(service.storage, { signedUrl: () => `http://127.0.0.1:${port}/devstoreaccount1/results/x?sig=x` });
    try {
      const result = await job();
      expect([result.code, result.warnings]).toEqual([
        0,
        [expect.stringMatching(/^the artifact service does not answer: given up after \d+ s/)],
      ]);
      expect(result.seconds).toBeLessThan(90);
    } finally {
      Object.assign(service.storage, { signedUrl });
      hanging.closeAllConnections();
      hanging.close();
    }
  }, 120_000);

  test("has no part in the outputs, which are set before", async () => {
    service.faults.push(...methods.map((method) => ({ method, hang: true as const })));
    const result = await job({ killWhen: ({ status }) => status !== undefined });
    expect([result.outputs["status"], result.post]).toEqual(["passed", undefined]);
    expect(result.seconds).toBeLessThan(25);
  }, 120_000);

  test("is given up: GitHub's API, after two time-outs, in one warning with the time", async () => {
    for (const operation of ["checks/create", "checks/update", "checks/list-for-ref", "issues/list-comments"])
      github.faults.push({ operation, answer: "never" });
    const result = await judging().job({ inputs: { comment: "true" } });
    const warnings = result.annotations.filter(({ message }) => message.includes("does not answer") || message.includes("comment"));
    expect([result.code, warnings.filter(({ level }) => level === "warning").map(({ message }) => message)]).toEqual([
      0,
      ["GitHub's API does not answer: given up after 30 s, and not used for the rest of the job"],
    ]);
    expect(github.requests).toHaveLength(2);
  }, 120_000);
});
