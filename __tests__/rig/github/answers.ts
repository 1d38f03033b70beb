/** What the REST API answers, and how it changes its state. Operations by their ids in GitHub's description. */
import { execFileSync } from "node:child_process";
import type { Context } from "openapi-backend";
import {
  accountOf,
  artifactOf,
  blobOf,
  checkOf,
  commentOf,
  permissionOf,
  pullFileOf,
  pullOf,
  reviewOf,
  treeOf,
  userOf,
  workflowRunOf,
} from "./shapes.ts";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface CheckState {
  readonly id: number;
  readonly name: string;
  readonly head_sha: string;
  readonly external_id: string;
  readonly details_url: string;
  status: string;
  conclusion: string | null;
  output: { title: string; summary: string; text?: string };
  /** Added by every call. */
  readonly annotations: { path: string; start_line: number; end_line: number; annotation_level: string; message: string; title?: string }[];
}

export interface CommentState {
  readonly id: number;
  readonly issue: number;
  readonly login: string;
  body: string;
}

export interface ReviewState {
  readonly id: number;
  readonly pull: number;
  readonly login: string;
  readonly body: string;
  readonly commit_id: string;
  readonly event: string;
  readonly comments: readonly { path: string; line: number; side: string; body: string; start_line?: number }[];
}

export interface PullState {
  readonly number: number;
  readonly head: string;
  readonly base: string;
  readonly fork: boolean;
  readonly files: readonly { readonly filename: string; readonly patch?: string }[];
}

export interface GitHubState {
  readonly checks: CheckState[];
  readonly comments: CommentState[];
  readonly reviews: ReviewState[];
  readonly pulls: Map<number, PullState>;
  readonly permissions: Record<string, string>;
  /** By their ids. `head`: the id of the head repository; the repository itself has the id 1. */
  readonly workflowRuns: Map<number, { readonly event: string; readonly head: number }>;
  /** Of the results service. */
  readonly caches: readonly { readonly key: string; readonly ref: string; readonly finalized: boolean }[];
  /** Of workflow runs. */
  readonly artifacts: {
    readonly id: number;
    readonly runId: number;
    readonly name: string;
    readonly size: number;
    readonly hash?: string;
    readonly url: () => string;
  }[];
  /** The directory of the repository whose objects are served; undefined if it has none. */
  repository?: string;
  /** Annotations that GitHub refuses for a reason of its own; undefined if it refuses none. */
  refusesAnnotation?: (annotation: CheckState["annotations"][number]) => boolean;
  /** Entries of a tree that a recursive request lists at most, as GitHub's 100,000. */
  treeLimit?: number;
  /** The login of the job's token. */
  account: string;
}

/** The account of a workflow's own token. */
export const ourselves = "github-actions[bot]";

type Body = Record<string, unknown>;
type Answering = (state: GitHubState, context: Context) => Answer;

const ok = (body: unknown, status = 200): Answer => ({ status, body });
const refused = (status: number, message: string): Answer => ({
  status,
  body: { message, documentation_url: "https://docs.github.com/rest" },
});
const bodyOf = ({ request }: Context) => (request.requestBody ?? {}) as Body;
const idOf = ({ request }: Context, name: string) => Number((request.params as Record<string, string>)[name]);
const bytes = (text: unknown) => (typeof text === "string" ? text.length : 0);

/** https://docs.github.com/en/rest/checks/runs: limits that the description leaves out. */
function outputProblem(output: Body | undefined, refuses: GitHubState["refusesAnnotation"]): string | undefined {
  if (output === undefined) return undefined;
  if (bytes(output["summary"]) > 65_535 || bytes(output["text"]) > 65_535) return "Only 65535 characters are allowed";
  if (bytes(output["title"]) > 255) return "the title is too long";
  const annotations = (output["annotations"] ?? []) as CheckState["annotations"];
  if (annotations.length > 50) return "No more than 50 annotations";
  if (refuses !== undefined && annotations.some(refuses)) return "an annotation cannot be placed";
  return annotations.some(({ start_line: from, end_line: to, message }) => from < 1 || to < from || Buffer.byteLength(message) > 65_536)
    ? "an annotation is not valid"
    : undefined;
}

function apply({ refusesAnnotation }: GitHubState, check: CheckState, body: Body): Answer | undefined {
  const output = body["output"] as Body | undefined;
  const problem = outputProblem(output, refusesAnnotation);
  if (problem !== undefined) return refused(422, problem);
  if (body["status"] === "completed" && body["conclusion"] === undefined) return refused(422, "a completed check needs a conclusion");
  check.status = (body["status"] as string | undefined) ?? check.status;
  check.conclusion = (body["conclusion"] as string | undefined) ?? check.conclusion;
  if (output !== undefined) {
    const { annotations = [], ...rest } = output as { annotations?: CheckState["annotations"] } & CheckState["output"];
    check.output = rest;
    check.annotations.push(...annotations);
  }
  return undefined;
}

export const answers: Readonly<Record<string, Answering>> = {
  "checks/create"(state, context) {
    const body = bodyOf(context);
    const words = {
      name: String(body["name"]),
      head_sha: String(body["head_sha"]),
      external_id: String(body["external_id"] ?? ""),
      details_url: String(body["details_url"] ?? ""),
    };
    const check: CheckState = {
      id: state.checks.length + 1,
      ...words,
      status: "queued",
      conclusion: null,
      output: { title: "", summary: "" },
      annotations: [],
    };
    const problem = apply(state, check, body);
    if (problem !== undefined) return problem;
    state.checks.push(check);
    return ok(checkOf(check), 201);
  },
  "checks/update"(state, context) {
    const check = state.checks.find(({ id }) => id === idOf(context, "check_run_id"));
    if (check === undefined) return refused(404, "Not Found");
    return apply(state, check, bodyOf(context)) ?? ok(checkOf(check));
  },
  "checks/get"(state, context) {
    const check = state.checks.find(({ id }) => id === idOf(context, "check_run_id"));
    return check === undefined ? refused(404, "Not Found") : ok(checkOf(check));
  },
  "checks/list-for-ref"(state, context) {
    const { check_name: name, status } = context.request.query as { readonly check_name?: string; readonly status?: string };
    const ref = String((context.request.params as Record<string, string>)["ref"]);
    const found = state.checks.filter(
      (check) => check.head_sha === ref && (name === undefined || check.name === name) && (status === undefined || check.status === status),
    );
    return ok({ total_count: found.length, check_runs: found.map(checkOf) });
  },
  "issues/list-comments": (state, context) =>
    ok(state.comments.filter(({ issue }) => issue === idOf(context, "issue_number")).map(commentOf)),
  "issues/create-comment"(state, context) {
    const body = String(bodyOf(context)["body"]);
    if (body.length > 65_536) return refused(422, "body is too long (maximum is 65536 characters)");
    const comment = {
      id: Math.max(0, ...state.comments.map(({ id }) => id)) + 1,
      issue: idOf(context, "issue_number"),
      login: state.account,
      body,
    };
    state.comments.push(comment);
    return ok(commentOf(comment), 201);
  },
  "issues/update-comment"(state, context) {
    const comment = state.comments.find(({ id }) => id === idOf(context, "comment_id"));
    const body = String(bodyOf(context)["body"]);
    if (comment === undefined) return refused(404, "Not Found");
    if (comment.login !== state.account) return refused(403, "the comment is somebody else's");
    if (body.length > 65_536) return refused(422, "body is too long (maximum is 65536 characters)");
    comment.body = body;
    return ok(commentOf(comment));
  },
  "issues/delete-comment"(state, context) {
    const at = state.comments.findIndex(({ id }) => id === idOf(context, "comment_id"));
    if (at < 0) return refused(404, "Not Found");
    if (state.comments[at]?.login !== state.account) return refused(403, "the comment is someone else's");
    state.comments.splice(at, 1);
    return ok(null, 204);
  },
  "pulls/get"(state, context) {
    const pull = state.pulls.get(idOf(context, "pull_number"));
    return pull === undefined ? refused(404, "Not Found") : ok(pullOf(pull));
  },
  "pulls/list-files"(state, context) {
    const pull = state.pulls.get(idOf(context, "pull_number"));
    return pull === undefined ? refused(404, "Not Found") : ok(pull.files.map(pullFileOf));
  },
  "pulls/list-reviews": (state, context) => ok(state.reviews.filter(({ pull }) => pull === idOf(context, "pull_number")).map(reviewOf)),
  "pulls/create-review"(state, context) {
    const pull = state.pulls.get(idOf(context, "pull_number"));
    const body = bodyOf(context);
    const comments = (body["comments"] ?? []) as ReviewState["comments"];
    if (pull === undefined) return refused(404, "Not Found");
    if (bytes(body["body"]) > 65_536) return refused(422, "body is too long (maximum is 65536 characters)");
    if (body["event"] !== "COMMENT") return refused(422, "this token may only comment");
    const outside = comments.find(({ path, line }) => !hunkLines(pull, path).has(line));
    if (outside !== undefined) return refused(422, `Line could not be resolved: ${outside.path}:${outside.line}`);
    const review = {
      id: state.reviews.length + 1,
      pull: pull.number,
      login: state.account,
      body: String(body["body"] ?? ""),
      commit_id: String(body["commit_id"]),
      event: String(body["event"]),
      comments,
    };
    state.reviews.push(review);
    return ok(reviewOf(review));
  },
  "users/get-authenticated": ({ account }) =>
    account.endsWith("[bot]") ? refused(403, "Resource not accessible by integration") : ok(accountOf(account)),
  "actions/get-workflow-run"(state, context) {
    const id = idOf(context, "run_id");
    const run = state.workflowRuns.get(id);
    return run === undefined ? refused(404, "Not Found") : ok(workflowRunOf(id, run));
  },
  "actions/get-actions-cache-list"(state, { request }) {
    const { key = "", ref } = request.query as { readonly key?: string; readonly ref?: string };
    const found = state.caches.filter((one) => one.finalized && one.key.startsWith(key) && (ref === undefined || one.ref === ref));
    return ok({ total_count: found.length, actions_caches: found.map((one, index) => ({ id: index + 1, ref: one.ref, key: one.key })) });
  },
  "actions/list-workflow-run-artifacts"(state, context) {
    const artifacts = state.artifacts.filter(({ runId }) => runId === idOf(context, "run_id")).map(artifactOf);
    return ok({ total_count: artifacts.length, artifacts });
  },
  "actions/download-artifact"(state, context) {
    const found = state.artifacts.find(({ id }) => id === idOf(context, "artifact_id"));
    return found === undefined ? refused(404, "Not Found") : { status: 302, body: "", headers: { location: found.url() } };
  },
  "git/get-tree"(state, context) {
    const id = String((context.request.params as Record<string, string>)["tree_sha"]);
    const isRecursive = "recursive" in ((context.request.query ?? {}) as Record<string, string>);
    const listed = git(state, "ls-tree", "-l", "-z", ...(isRecursive ? ["-r", "-t"] : []), id);
    if (listed === undefined) return refused(404, "Not Found");
    const lines = listed.toString("utf8").split("\0").filter(Boolean);
    const limit = isRecursive ? (state.treeLimit ?? lines.length) : lines.length;
    return ok(treeOf(id, lines.slice(0, limit), lines.length > limit));
  },
  "git/get-blob"(state, context) {
    const id = String((context.request.params as Record<string, string>)["file_sha"]);
    const bytes = git(state, "cat-file", "blob", id);
    return bytes === undefined ? refused(404, "Not Found") : ok(blobOf(id, bytes));
  },
  "repos/get-collaborator-permission-level"(state, context) {
    const login = String((context.request.params as Record<string, string>)["username"]);
    const permission = state.permissions[login];
    return permission === undefined ? refused(404, `${login} is not a user`) : ok(permissionOf(permission, userOf(login)));
  },
};

/** Undefined if the repository does not have the object. */
function git({ repository }: GitHubState, ...words: string[]): Buffer | undefined {
  if (repository === undefined) return undefined;
  try {
    return execFileSync("git", words, { cwd: repository, stdio: ["ignore", "pipe", "ignore"], maxBuffer: 100_000_000 });
  } catch {
    return undefined;
  }
}

/** Lines of the new side that the hunks of a file show. */
function hunkLines(pull: PullState, file: string): ReadonlySet<number> {
  const lines = new Set<number>();
  let at = 0;
  for (const line of pull.files.find(({ filename }) => filename === file)?.patch?.split("\n") ?? []) {
    const head = /^@@ -\d+(?:,\d+)? \+(\d+)/.exec(line);
    if (head !== null) at = Number(head[1]);
    else if (!line.startsWith("-")) lines.add(at++);
  }
  return lines;
}
