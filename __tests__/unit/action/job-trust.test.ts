/** Which accounts may start a job, and which commit its manifest is read from. */
import { describe, expect, it } from "vitest";
import { judgeTrust, type TrustRequest } from "../../../src/action/job-trust.ts";
import { startRules } from "../../../src/action/start-rules.ts";
import { err, ok } from "../../../src/core/result.ts";
import type { EventCause, PullContext, WorkflowContext } from "../../../src/core/workflow-context.ts";

const context: WorkflowContext = {
  owner: "octo",
  repo: "demo",
  apiUrl: "https://api.github.com",
  serverUrl: "https://github.com",
  workflow: "review",
  workflowFile: ".github/workflows/review.yml",
  runId: 100,
  runAttempt: 1,
  job: "review",
  eventName: "push",
  actor: "mona",
  sha: "a".repeat(40),
  ref: "refs/heads/main",
};
const pull: PullContext = { number: 7, headSha: "b".repeat(40), baseSha: "c".repeat(40), baseRef: "main", fromFork: false, author: "mona" };
const forked: PullContext = { ...pull, fromFork: true };
const permissions: Readonly<Record<string, string>> = { owner: "admin", mona: "write", reader: "read", "renovate[bot]": "none" };
const optedIn = { allowPullRequestTarget: true, trustedBots: [] };

function request(changes: Partial<WorkflowContext>, cause: EventCause, more: Partial<TrustRequest> = {}): TrustRequest {
  return {
    inputs: { allowPullRequestTarget: false, trustedBots: [] },
    context: { ...context, ...changes },
    cause: { sender: changes.actor ?? context.actor, ...cause },
    questions: {
      permissionOf: async (login) =>
        login === "ghost" ? err({ reason: "usage", message: "no answer" }) : ok(permissions[login] ?? "none"),
      pull: async (number) => ok({ ...forked, number }),
    },
    ...more,
  };
}

const judge = (...given: Parameters<typeof request>) => judgeTrust(request(...given));
const eventsBy = (...starters: string[]) => Object.keys(startRules).filter((event) => starters.includes(startRules[event]?.start ?? ""));
const pullFor = (eventName: string) => (eventName.startsWith("pull_request") && eventName !== "pull_request_comment" ? { pull } : {});

describe("a pull request", () => {
  it("from this repository uses the checkout's manifest", async () => {
    const judged = await judge({ eventName: "pull_request", pull }, {});
    expect(judged).toEqual({ kind: "trusted", level: "own", context: { ...context, eventName: "pull_request", pull } });
  });

  it("from a fork uses the base's manifest, whichever account opens it", async () => {
    const judged = await judge({ eventName: "pull_request", pull: forked, actor: "stranger" }, {});
    expect(judged).toMatchObject({ kind: "trusted", level: "fork", manifestFrom: pull.baseSha });
  });

  it.each(["pull_request", "pull_request_target"])("is refused if the payload of `%s` does not describe it", async (eventName) => {
    const judged = await judge({ eventName }, {}, { inputs: optedIn });
    expect(judged).toMatchObject({ kind: "refused", why: `the \`${eventName}\` event does not describe its pull request` });
  });

  it("from a fork is refused for `pull_request_target`, unless the input allows it", async () => {
    const target = { eventName: "pull_request_target", pull: forked };
    expect(await judge(target, {})).toMatchObject({ kind: "refused", why: expect.stringContaining("provides secrets") });
    expect(await judge(target, {}, { inputs: optedIn })).toMatchObject({ kind: "trusted", level: "fork", manifestFrom: pull.baseSha });
  });
});

describe("events that only accounts with write access can cause", () => {
  it.each(eventsBy("repository"))("start a job by `%s` without a query to GitHub", async (eventName) => {
    const { questions: _none, ...blind } = request({ eventName, actor: "renovate[bot]" }, {});
    expect(await judgeTrust(blind)).toMatchObject({ kind: "trusted", level: "own" });
  });
});

describe("an account that must have write access", () => {
  const judged = eventsBy("sender", "person", "author");

  it.each(judged)("may start a job by `%s` if it has write access", async (eventName) => {
    for (const actor of ["mona", "owner"])
      expect(await judge({ eventName, actor, ...pullFor(eventName) }, { author: actor })).toMatchObject({ kind: "trusted" });
  });

  it.each(judged)("cannot start a job by `%s` without write access", async (eventName) => {
    for (const actor of ["reader", "stranger"]) {
      expect(await judge({ eventName, actor, ...pullFor(eventName) }, { author: actor })).toMatchObject({
        kind: "refused",
        why: `the \`${eventName}\` event was caused by ${actor}, who has no write access to this repository`,
      });
    }
  });

  it.each(judged)("must have write access for `%s` even if it is only the sender or only the actor", async (eventName) => {
    const of = { eventName, ...pullFor(eventName) };
    expect(await judge({ ...of, actor: "mona" }, { sender: "stranger", author: "mona" })).toMatchObject({ kind: "refused" });
    expect(await judge({ ...of, actor: "stranger" }, { sender: "mona", author: "mona" })).toMatchObject({ kind: "refused" });
  });

  it("is refused if GitHub does not report its permission", async () => {
    const judged = await judge({ eventName: "watch", actor: "ghost" }, {});
    expect(judged).toMatchObject({ kind: "refused", why: "the permission of ghost cannot be checked: no answer" });
  });

  it("is refused if the job has no token", async () => {
    const { questions: _none, ...blind } = request({ eventName: "issue_comment" }, { author: "mona" });
    expect(await judgeTrust(blind)).toMatchObject({ kind: "refused", why: "without a token, the permission of mona cannot be checked" });
  });
});

describe("the manifest of an event that strangers can cause", () => {
  const withoutPull = eventsBy("sender", "author").filter((event) => pullFor(event).pull === undefined);

  it.each(withoutPull)("is read from the event's commit for `%s`, whatever the workflow checks out", async (eventName) => {
    expect(await judge({ eventName }, { author: "mona" })).toMatchObject({ kind: "trusted", level: "fork", manifestFrom: context.sha });
  });

  it("is read from the checkout for a comment on a pull request from this repository", async () => {
    const questions = { permissionOf: async () => ok("write"), pull: async () => ok(pull) };
    const judged = await judge({ eventName: "issue_comment" }, { author: "mona", commentedPull: 7 }, { questions });
    expect(judged).toEqual({ kind: "trusted", level: "own", context: { ...context, eventName: "issue_comment", pull } });
  });
});

describe("a text", () => {
  const texts: [string, string][] = [
    ...["issue_comment", "pull_request_review", "pull_request_review_comment", "discussion_comment", "commit_comment"].flatMap(
      (eventName): [string, string][] => [
        [eventName, "created"],
        [eventName, "edited"],
      ],
    ),
    ["issues", "opened"],
    ["issues", "edited"],
    ["discussion", "created"],
    ["discussion", "edited"],
  ];

  it.each(texts)("by a stranger cannot start a job by `%s` with `%s`, even if a maintainer edits it", async (eventName, action) => {
    const of = { eventName, actor: "mona", ...pullFor(eventName) };
    expect(await judge(of, { action, sender: "mona", author: "stranger" })).toMatchObject({
      kind: "refused",
      why: expect.stringContaining("by stranger"),
    });
  });

  it.each(texts)("without an author cannot start a job by `%s` with `%s`", async (eventName, action) => {
    expect(await judge({ eventName, ...pullFor(eventName) }, { action, sender: "mona" })).toMatchObject({
      kind: "refused",
      why: expect.stringContaining("does not name every account"),
    });
  });

  it("by a stranger may be labeled by a maintainer, which starts a job", async () => {
    expect(await judge({ eventName: "issues" }, { action: "labeled", author: "stranger" })).toMatchObject({ kind: "trusted" });
  });

  it("cannot start a job when it is deleted, even by a maintainer", async () => {
    const judged = await judge({ eventName: "issue_comment" }, { action: "deleted", author: "mona" });
    expect(judged).toMatchObject({ kind: "refused", why: "`issue_comment` with the action `deleted` cannot start a job" });
  });

  it("on a fork's pull request uses the base's manifest, whose commit comes from GitHub's API", async () => {
    expect(await judge({ eventName: "issue_comment" }, { author: "mona", commentedPull: 9 })).toMatchObject({
      kind: "trusted",
      level: "fork",
      context: { pull: { number: 9, fromFork: true } },
      manifestFrom: pull.baseSha,
    });
  });
});

describe("a bot", () => {
  const bot = { actor: "renovate[bot]" };
  const trusted = { inputs: { allowPullRequestTarget: false, trustedBots: ["renovate[bot]"] } };

  it("can start a job by a comment only if the input names it", async () => {
    const of = { eventName: "issue_comment", ...bot };
    const hint = "name the bot in `trusted-bots` to allow it";
    expect(await judge(of, { author: bot.actor })).toMatchObject({ kind: "refused", hint });
    expect(await judge(of, { author: bot.actor }, trusted)).toMatchObject({ kind: "trusted" });
  });

  it("that the input names cannot start a job by a stranger's text", async () => {
    expect(await judge({ eventName: "issue_comment", ...bot }, { author: "stranger" }, trusted)).toMatchObject({ kind: "refused" });
  });

  it.each(["deployment", "deployment_status"])("cannot start a job by `%s`, whose commit may be a fork's", async (eventName) => {
    expect(await judge({ eventName, ...bot }, {}, trusted)).toMatchObject({ kind: "refused" });
  });

  it.each(["check_run", "check_suite", "status"])(
    "that reports by `%s` is judged with the manifest of the event's commit",
    async (eventName) => {
      expect(await judge({ eventName, ...bot }, {}, trusted)).toMatchObject({ kind: "trusted", manifestFrom: context.sha });
    },
  );
});

describe("a workflow run that follows another one", () => {
  const follow = (event: string, fromFork = false) => judge({ eventName: "workflow_run" }, { run: { event, fromFork } });

  it.each(["push", "schedule", "pull_request", "merge_group"])("starts after `%s` of this repository", async (event) => {
    const { manifestFrom, ...judged } = { manifestFrom: undefined, ...(await follow(event)) };
    expect(judged).toMatchObject({ kind: "trusted", level: "own" });
    expect(manifestFrom).toBeUndefined();
  });

  it.each([
    ...["issue_comment", "issues", "pull_request_target", "pull_request_review", "watch", "workflow_run", "unheard_of", ""].map(
      (event) => [event, false] as const,
    ),
    ["pull_request", true] as const,
    ["push", true] as const,
  ])("is refused after `%s` (of a fork: %s) as `pull_request_target` is", async (event, fromFork) => {
    expect(await follow(event, fromFork)).toMatchObject({
      kind: "refused",
      hint: expect.stringContaining("`allow-pull-request-target: true`"),
    });
    const allowed = await judge({ eventName: "workflow_run" }, { run: { event, fromFork } }, { inputs: optedIn });
    expect(allowed).toMatchObject({ kind: "trusted", level: "fork", manifestFrom: context.sha });
  });

  it("is refused if the payload does not describe the other one", async () => {
    expect(await judge({ eventName: "workflow_run" }, {}, { inputs: optedIn })).toMatchObject({ kind: "refused" });
  });
});

describe("an event without a rule", () => {
  it.each(["unheard_of", "constructor", "__proto__", "workflow_call", ""])("cannot start a job: %s", async (eventName) => {
    expect(await judge({ eventName }, {}, { inputs: optedIn })).toMatchObject({ kind: "refused" });
  });
});
