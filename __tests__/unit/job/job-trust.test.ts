/** Who may have a job run something, and whose manifest it reads. */
import { describe, expect, it } from "vitest";
import { judgeTrust, type TrustRequest } from "../../../src/job/job-trust.ts";
import { err, ok } from "../../../src/model/result.ts";
import type { PullContext, WorkflowContext } from "../../../src/model/workflow-context.ts";

const context: WorkflowContext = {
  owner: "octo",
  repo: "demo",
  apiUrl: "https://api.github.com",
  serverUrl: "https://github.com",
  workflow: "review",
  runId: 100,
  runAttempt: 1,
  job: "review",
  eventName: "push",
  actor: "mona",
  sha: "a".repeat(40),
  ref: "refs/heads/main",
};
const pull: PullContext = { number: 7, headSha: "b".repeat(40), baseSha: "c".repeat(40), baseRef: "main", fromFork: false, author: "mona" };
const permissions: Readonly<Record<string, string>> = { owner: "admin", mona: "write", reader: "read", "renovate[bot]": "none" };

function judge(changes: Partial<WorkflowContext>, request: Partial<TrustRequest> = {}) {
  return judgeTrust({
    inputs: { allowPullRequestTarget: false, trustedBots: [] },
    context: { ...context, ...changes },
    questions: {
      permissionOf: async (login) =>
        login === "ghost" ? err({ reason: "usage", message: "no answer" }) : ok(permissions[login] ?? "none"),
      pull: async (number) => ok({ ...pull, number, fromFork: true }),
    },
    ...request,
  });
}

describe("trust", () => {
  it("reads the checkout's manifest for pushes and pull requests of the repository's own", async () => {
    expect(await judge({})).toEqual({ kind: "trusted", context });
    expect(await judge({ eventName: "pull_request", pull })).toEqual({
      kind: "trusted",
      context: { ...context, eventName: "pull_request", pull },
    });
  });

  it("reads the base's manifest for a fork's pull request", async () => {
    const judged = await judge({ eventName: "pull_request", pull: { ...pull, fromFork: true } });
    expect(judged).toMatchObject({ kind: "trusted", manifestFrom: pull.baseSha });
  });

  it("refuses `pull_request_target`, unless the workflow says that it knows", async () => {
    const target = { eventName: "pull_request_target", pull: { ...pull, fromFork: true } };
    expect(await judge(target)).toMatchObject({
      kind: "refused",
      why: expect.stringContaining("`pull_request_target` gives this job secrets"),
    });
    const inputs = { allowPullRequestTarget: true, trustedBots: [] };
    expect(await judge(target, { inputs })).toMatchObject({ kind: "trusted", manifestFrom: pull.baseSha });
  });

  it.each(["issue_comment", "pull_request_review", "pull_request_review_comment", "commit_comment", "discussion_comment"])(
    "lets nobody start a run by %s who may not write",
    async (eventName) => {
      expect(await judge({ eventName, actor: "mona" })).toMatchObject({ kind: "trusted" });
      expect(await judge({ eventName, actor: "owner" })).toMatchObject({ kind: "trusted" });
      expect(await judge({ eventName, actor: "reader" })).toMatchObject({
        kind: "refused",
        why: "the comment is by reader, who may not write to this repository",
      });
      expect(await judge({ eventName, actor: "stranger" })).toMatchObject({ kind: "refused" });
    },
  );

  it("takes what cannot be found out for no", async () => {
    const eventName = "issue_comment";
    expect(await judge({ eventName, actor: "ghost" })).toMatchObject({
      kind: "refused",
      why: "whether ghost may write could not be found out: no answer",
    });
    const { questions: _none, ...blind } = {
      questions: undefined,
      inputs: { allowPullRequestTarget: false, trustedBots: [] },
      context: { ...context, eventName },
    };
    expect(await judgeTrust(blind)).toMatchObject({ kind: "refused", why: "there is no token to find out who commented" });
  });

  it("hears bots only by name", async () => {
    const bot = { eventName: "issue_comment", actor: "renovate[bot]" };
    expect(await judge(bot)).toMatchObject({ kind: "refused", hint: "name it in `trusted-bots` if it may" });
    const inputs = { allowPullRequestTarget: false, trustedBots: ["renovate[bot]"] };
    expect(await judge(bot, { inputs })).toMatchObject({ kind: "trusted" });
  });

  it("looks at the pull request that was commented on", async () => {
    expect(await judge({ eventName: "issue_comment" }, { commentedPull: 9 })).toMatchObject({
      kind: "trusted",
      context: { pull: { number: 9, fromFork: true } },
      manifestFrom: pull.baseSha,
    });
  });
});
