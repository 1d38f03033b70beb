/**
 * GitHub's REST API, as far as wave calls it. Every answer is a value: what the service refuses, does not understand or does not answer is
 * `github-failed`. Calls that may do better a moment later are made again, a few times and within a deadline.
 * https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 */
import { getOctokit } from "@actions/github";
import type { CommitEntry, CommitObjects } from "../../model/commit.ts";
import type { Failure } from "../../model/failure.ts";
import { type CheckOutput, type GitHub, type IssueComment, markerStart, type NewCheck } from "../../model/github.ts";
import type { Clock } from "../../model/ports.ts";
import { err, ok, type Result } from "../../model/result.ts";
import { pullOf } from "../actions/workflow-environment.ts";
import { type Account, type Author, accountOf } from "./account.ts";
import { withCleanTexts } from "./clean-texts.ts";

export interface GitHubRequest {
  readonly token: string;
  readonly owner: string;
  readonly repo: string;
  readonly apiUrl: string;
  readonly clock: Clock;
  /** Replaces secrets in what is written; defaults to none. */
  readonly redact?: (text: string) => string;
  /** Ends waiting for another try. */
  readonly signal?: AbortSignal;
}

/** Tries of one call, and how long all of them may take, in milliseconds. */
const tries = 3;
const patienceMs = 30_000;
/** A list longer than this is cut, in pages of 100. */
const mostPages = 10;

/** Gives the port. Nothing is asked yet. */
export function openGitHub(request: GitHubRequest): GitHub {
  const { rest, graphql } = getOctokit(request.token, { baseUrl: request.apiUrl, userAgent: "wave" });
  const at: Common = () => ({ owner: request.owner, repo: request.repo, request: { signal: AbortSignal.timeout(limitOf(request)) } });
  const call: Call = (doing, work) => attempt(request, doing, work);
  const signal = () => ({ request: at().request });
  const account = accountOf(request.token, {
    async userLogin() {
      const user = await call("read the account of the token", () => rest.users.getAuthenticated(signal()));
      return user.ok ? ok(user.value.login) : user;
    },
    async viewerLogin() {
      const asked = async () => ({ data: await graphql<{ viewer: { login: string } }>("query { viewer { login } }", signal()) });
      const answer = await call("read the account of the token", asked);
      return answer.ok ? ok(answer.value.viewer.login) : answer;
    },
  });
  const github = {
    ...checkCalls(rest, at, call),
    ...commentCalls(rest, at, call, account),
    ...pullCalls(rest, at, call, account),
    ...commitCalls(rest, at, call),
    ...actionsCalls(rest, at, call),
  };
  return withCleanTexts(github, request.redact ?? ((text) => text));
}

type Rest = ReturnType<typeof getOctokit>["rest"];
type Call = <T>(doing: string, work: () => Promise<{ readonly data: T }>) => Promise<Result<T>>;

/** What every call takes: the repository, and how long it may take. */
type Common = () => { readonly owner: string; readonly repo: string; readonly request: { readonly signal: AbortSignal } };

/** For one call, and for one after the job was cancelled, in milliseconds. */
const limits = { callMs: 15_000, cancelledMs: 1_500 } as const;

function limitOf({ signal }: GitHubRequest): number {
  return signal?.aborted === true ? limits.cancelledMs : limits.callMs;
}

function checkCalls(rest: Rest, at: Common, call: Call): Pick<GitHub, "createCheck" | "updateCheck"> {
  return {
    async createCheck(check) {
      const made = await call("write a check run", () => rest.checks.create({ ...at(), ...checkBody(check) }));
      return made.ok ? ok({ id: made.value.id }) : made;
    },
    async updateCheck(id, { conclusion, output }) {
      const body = {
        ...(conclusion === undefined ? {} : { status: "completed" as const, conclusion }),
        ...(output === undefined ? {} : { output: outputBody(output) }),
      };
      const made = await call("write a check run", () => rest.checks.update({ ...at(), check_run_id: id, ...body }));
      return made.ok ? ok(undefined) : made;
    },
  };
}

function commentCalls(
  rest: Rest,
  at: Common,
  call: Call,
  account: Account,
): Pick<GitHub, "listComments" | "createComment" | "updateComment"> {
  return {
    async listComments(issue) {
      const listed = await pages((page) =>
        call("read comments", () => rest.issues.listComments({ ...at(), issue_number: issue, per_page: 100, page })),
      );
      return listed.ok ? ok(await commentsOf(listed.value, account)) : listed;
    },
    async createComment(issue, body) {
      const made = await call("write a comment", () => rest.issues.createComment({ ...at(), issue_number: issue, body }));
      return made.ok ? ok({ url: made.value.html_url }) : made;
    },
    async updateComment(id, body) {
      const made = await call("write a comment", () => rest.issues.updateComment({ ...at(), comment_id: id, body }));
      return made.ok ? ok({ url: made.value.html_url }) : made;
    },
  };
}

function pullCalls(
  rest: Rest,
  at: Common,
  call: Call,
  account: Account,
): Pick<GitHub, "pull" | "pullFiles" | "listReviews" | "createReview" | "permissionOf"> {
  return {
    async pull(number) {
      const found = await call("read a pull request", () => rest.pulls.get({ ...at(), pull_number: number }));
      if (!found.ok) return found;
      const pull = pullOf({ pull_request: found.value });
      return pull === undefined
        ? err({ reason: "github-failed", doing: "read a pull request", detail: "its head or base is gone" })
        : ok(pull);
    },
    async pullFiles(number) {
      const listed = await pages((page) =>
        call("read the files of a pull request", () => rest.pulls.listFiles({ ...at(), pull_number: number, per_page: 100, page })),
      );
      if (!listed.ok) return listed;
      return ok(listed.value.map(({ filename, patch }) => ({ path: filename, ...(patch === undefined ? {} : { patch }) })));
    },
    async listReviews(number) {
      const listed = await pages((page) =>
        call("read reviews", () => rest.pulls.listReviews({ ...at(), pull_number: number, per_page: 100, page })),
      );
      return listed.ok ? ok(await commentsOf(listed.value, account)) : listed;
    },
    async createReview(number, { commit, body, comments }) {
      const lines = comments.map(({ path, line, side, startLine, body: text }) => ({
        ...{ path, line, side, body: text },
        ...(startLine === undefined ? {} : { start_line: startLine, start_side: side }),
      }));
      const review = { ...at(), pull_number: number, commit_id: commit, event: "COMMENT" as const, body, comments: lines };
      const made = await call("write a review", () => rest.pulls.createReview(review));
      return made.ok ? ok({ url: made.value.html_url }) : made;
    },
    async permissionOf(login) {
      const found = await call("read a permission", () => rest.repos.getCollaboratorPermissionLevel({ ...at(), username: login }));
      return found.ok ? ok(found.value.permission) : found;
    },
  };
}

function commitCalls(rest: Rest, at: Common, call: Call): CommitObjects {
  const readable = <T>(read: Result<T>): Result<T> => (read.ok ? read : err(withContentsHint(read.error)));
  return {
    async readTree(id, recursive) {
      const words = { tree_sha: id, ...(recursive ? { recursive: "1" } : {}) };
      const read = readable(await call("read the files of a commit", () => rest.git.getTree({ ...at(), ...words })));
      return read.ok ? ok({ entries: read.value.tree.flatMap(treeEntryOf), truncated: read.value.truncated }) : read;
    },
    async readBlob(id) {
      const read = readable(await call("read a file of a commit", () => rest.git.getBlob({ ...at(), file_sha: id })));
      if (!read.ok) return read;
      const { content, encoding } = read.value;
      return ok(Buffer.from(content, encoding === "base64" ? "base64" : "utf8"));
    },
  };
}

function actionsCalls(rest: Rest, at: Common, call: Call): Pick<GitHub, "workflowRun" | "cacheRefs"> {
  return {
    async workflowRun(id) {
      const found = await call("read a workflow run", () => rest.actions.getWorkflowRun({ ...at(), run_id: id }));
      if (!found.ok) return found;
      const { event, repository } = found.value;
      // GitHub's description promises it; a deleted fork leaves null.
      const head = found.value.head_repository as { readonly id: number } | null | undefined;
      return ok({ event, repositoryId: repository.id, ...(head == null ? {} : { headRepositoryId: head.id }) });
    },
    async cacheRefs(key, ref) {
      const listed = await call("read cache entries", () => rest.actions.getActionsCacheList({ ...at(), key, ref, per_page: 100 }));
      if (!listed.ok) return listed;
      return ok(listed.value.actions_caches.flatMap((entry) => (entry.key === key && entry.ref !== undefined ? [entry.ref] : [])));
    },
  };
}

/** Other entries than those that git has cannot be read. */
function treeEntryOf({ path, mode, sha, size = 0 }: { path: string; mode: string; sha: string; size?: number }): CommitEntry[] {
  const kind = mode.startsWith("100") ? "file" : mode === "120000" ? "link" : mode === "040000" ? "directory" : "submodule";
  return [{ path, kind, id: sha, size }];
}

/** To a token without the permission, GitHub may also answer that there is nothing. */
function withContentsHint(failure: Failure): Failure {
  if (failure.reason !== "github-failed" || failure.hint !== undefined) return failure;
  if (failure.status === 403) return { ...failure, hint: "give the job `contents: read`" };
  return failure.status === 404
    ? { ...failure, hint: "give the job `contents: read`; if it has that, the commit does not exist any more" }
    : failure;
}

async function pages<T>(read: (page: number) => Promise<Result<readonly T[]>>): Promise<Result<readonly T[]>> {
  const all: T[] = [];
  for (let page = 1; page <= mostPages; page += 1) {
    const some = await read(page);
    if (!some.ok) return some;
    all.push(...some.value);
    if (some.value.length < 100) break;
  }
  return ok(all);
}

async function attempt<T>({ clock, signal }: GitHubRequest, doing: string, work: () => Promise<{ readonly data: T }>): Promise<Result<T>> {
  const deadline = clock.monotonic() + patienceMs;
  for (let tried = 1; ; tried += 1) {
    try {
      return ok((await work()).data);
    } catch (error) {
      const { failure, againInMs } = judge(error, doing, tried, clock.now());
      if (againInMs === undefined || tried >= tries || clock.monotonic() + againInMs > deadline || signal?.aborted === true)
        return err(failure);
      await clock.sleep(againInMs, signal);
    }
  }
}

type Headers = Readonly<Record<string, string | number | undefined>>;

interface HttpError {
  readonly status?: number;
  readonly message?: string;
  readonly response?: { readonly headers?: Headers };
}

/** Returns what an error means, and after how many milliseconds the call may be made again: undefined if that would change nothing. */
function judge(error: unknown, doing: string, tried: number, now: number): { readonly failure: Failure; readonly againInMs?: number } {
  const { message = String(error), response, ...known } = error as HttpError;
  // The client reports a request without an answer as status 500.
  const status = response === undefined ? undefined : known.status;
  // The client's message ends with a link to its documentation.
  const detail = message.replace(/ - https:\/\/docs\.github\.com.*$/s, "").split("\n")[0] ?? "";
  const failure = { reason: "github-failed", doing, detail, ...(status === undefined ? {} : { status }) } as const;
  const limited = status === 429 || (status === 403 && /rate limit|abuse/i.test(message));
  if (limited) return { failure: { ...failure, hint: limitHint }, againInMs: limitedMs(response?.headers, now) };
  return status === undefined || status >= 500 ? { failure, againInMs: 400 * 2 ** tried } : { failure };
}

const limitHint = "GitHub limits the requests of this token: run the job again later";

/** https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: times are in seconds, those of a reset since 1970. */
function limitedMs(headers: Headers = {}, now: number): number {
  const wait = Number(headers["retry-after"] ?? Number.NaN);
  if (Number.isFinite(wait)) return wait * 1000;
  const reset = Number(headers["x-ratelimit-remaining"] === "0" ? headers["x-ratelimit-reset"] : Number.NaN);
  return Number.isFinite(reset) ? Math.max(1000, reset * 1000 - now) : 5000;
}

function checkBody({ name, headSha, externalId, detailsUrl, conclusion, output }: NewCheck) {
  const state = conclusion === undefined ? { status: "in_progress" as const } : { status: "completed" as const, conclusion };
  return { name, head_sha: headSha, external_id: externalId, details_url: detailsUrl, ...state, output: outputBody(output) };
}

function outputBody({ title, summary, text, annotations = [] }: CheckOutput) {
  return {
    ...{ title, summary },
    ...(text === undefined ? {} : { text }),
    annotations: annotations.map(({ path, startLine, endLine, startColumn, endColumn, level, title: about, message }) => ({
      ...{ path, start_line: startLine, end_line: endLine, annotation_level: level, message },
      ...(startColumn === undefined || endColumn === undefined ? {} : { start_column: startColumn, end_column: endColumn }),
      ...(about === undefined ? {} : { title: about }),
    })),
  };
}

interface ListedComment {
  readonly id: number;
  readonly body?: string;
  readonly user: Author;
}

/** The account is compared only for comments that start with a marker. */
async function commentsOf(listed: readonly ListedComment[], account: Account): Promise<readonly IssueComment[]> {
  const comments: IssueComment[] = [];
  for (const { id, body = "", user } of listed) {
    comments.push({ id, body, author: user?.login ?? "", isOwn: body.startsWith(markerStart) && (await account.isAuthor(user)) });
  }
  return comments;
}
