/**
 * Reads a job's context from the runner's variables and the event's payload. It does not interpret the context.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/variables
 */

import { readFileSync } from "node:fs";
import { defined } from "../../core/defined.ts";
import type { Failure } from "../../core/failure.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { CommentContext, EventCause, PullContext, WorkflowContext } from "../../core/workflow-context.ts";

type Variables = Readonly<Record<string, string | undefined>>;
type Json = Readonly<Record<string, unknown>>;

/** Reads the context. Fails with `usage` outside of a workflow: if a variable that the runner always sets is missing. */
export function readWorkflowContext(env: Variables): Result<WorkflowContext, Failure> {
  const missing = ["GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_EVENT_NAME", "GITHUB_SHA"].find((name) => (env[name] ?? "") === "");
  if (missing !== undefined) {
    return err({
      reason: "usage",
      message: `${missing} is not set: this is not a GitHub workflow`,
      hint: "outside of a workflow, use the `wave` command",
    });
  }
  const [owner = "", repo = ""] = text(env, "GITHUB_REPOSITORY").split("/");
  const event = readEvent(env["GITHUB_EVENT_PATH"]);
  const pull = pullOf(event);
  const comment = commentOf(event);
  return ok({
    owner,
    repo,
    apiUrl: trimmed(env["GITHUB_API_URL"] ?? "https://api.github.com"),
    serverUrl: trimmed(env["GITHUB_SERVER_URL"] ?? "https://github.com"),
    workflow: text(env, "GITHUB_WORKFLOW"),
    workflowFile: workflowFile(env),
    runId: Number(env["GITHUB_RUN_ID"]),
    runAttempt: Number(env["GITHUB_RUN_ATTEMPT"] ?? "1"),
    job: text(env, "GITHUB_JOB"),
    eventName: text(env, "GITHUB_EVENT_NAME"),
    // Not GITHUB_TRIGGERING_ACTOR: re-running a job must not approve text that another user wrote.
    actor: text(env, "GITHUB_ACTOR"),
    sha: text(env, "GITHUB_SHA"),
    ref: text(env, "GITHUB_REF"),
    ...defined({ pull, comment }),
  });
}

/** The path in GITHUB_WORKFLOW_REF, which is `OWNER/REPO/PATH@REF`. */
function workflowFile(env: Variables): string {
  const [, file] = /^[^/]+\/[^/]+\/(.+?)@/.exec(text(env, "GITHUB_WORKFLOW_REF")) ?? [];
  return file ?? text(env, "GITHUB_WORKFLOW");
}

/** The pull request in an event's payload or in a response of the REST API; undefined if there is none. */
export function pullOf(event: Json): PullContext | undefined {
  const pull = mapIn(event, "pull_request");
  const head = mapIn(pull, "head");
  const base = mapIn(pull, "base");
  const number = pull?.["number"];
  if (typeof number !== "number" || head === undefined || base === undefined) return undefined;
  const headRepo = mapIn(head, "repo");
  return {
    number,
    headSha: wordIn(head, "sha"),
    baseSha: wordIn(base, "sha"),
    baseRef: wordIn(base, "ref"),
    // A head without a repository (deleted) is not trusted.
    fromFork: headRepo === undefined || headRepo["full_name"] !== mapIn(base, "repo")?.["full_name"],
    author: wordIn(mapIn(pull, "user"), "login"),
  };
}

/** Reads the accounts that caused the event from its payload; undefined for accounts that the payload does not contain. */
export function readEventCause(env: Variables): EventCause {
  const event = readEvent(env["GITHUB_EVENT_PATH"]);
  const text = ["comment", "review", "issue", "discussion"].map((name) => mapIn(event, name)).find((found) => found !== undefined);
  const run = mapIn(event, "workflow_run");
  return {
    ...known("action", wordIn(event, "action")),
    ...known("sender", wordIn(mapIn(event, "sender"), "login")),
    ...known("author", wordIn(mapIn(text, "user"), "login")),
    ...known("commentedPull", commentedPull(event)),
    ...(run === undefined ? {} : { run: { event: wordIn(run, "event"), fromFork: !isOwnRun(run) } }),
  };
}

/** The number of the pull request that was commented on; undefined for an issue. */
function commentedPull(event: Json): number | undefined {
  const issue = mapIn(event, "issue");
  const number = issue?.["number"];
  return typeof number === "number" && mapIn(issue, "pull_request") !== undefined ? number : undefined;
}

/** Whether the commit of a workflow run belongs to its own repository. GitHub omits a deleted head repository. */
function isOwnRun(run: Json): boolean {
  const own = wordIn(mapIn(run, "repository"), "full_name");
  return own !== "" && own === wordIn(mapIn(run, "head_repository"), "full_name");
}

function known<N extends string, T>(name: N, value: T | "" | undefined): { readonly [K in N]?: T } {
  return value === "" || value === undefined ? {} : ({ [name]: value } as { readonly [K in N]?: T });
}

function commentOf(event: Json): CommentContext | undefined {
  const comment = mapIn(event, "comment") ?? mapIn(event, "review");
  const id = comment?.["id"];
  if (comment === undefined || typeof id !== "number") return undefined;
  return {
    id,
    body: wordIn(comment, "body"),
    authorAssociation: wordIn(comment, "author_association"),
    author: wordIn(mapIn(comment, "user"), "login"),
  };
}

/** The event's payload; empty if it cannot be read, as for a `workflow_dispatch` through the API. */
function readEvent(file: string | undefined): Json {
  if (file === undefined || file === "") return {};
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isMap(value) ? value : {};
  } catch {
    return {};
  }
}

function mapIn(value: Json | undefined, name: string): Json | undefined {
  const member = value?.[name];
  return isMap(member) ? member : undefined;
}

function wordIn(value: Json | undefined, name: string): string {
  const member = value?.[name];
  return typeof member === "string" ? member : "";
}

function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(env: Variables, name: string): string {
  return env[name] ?? "";
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, "");
}
