/** Reads pull requests; reads and writes their comments and reviews. */
import { defined } from "../../core/defined.ts";
import { type GitHub, type IssueComment, markerStart } from "../../core/github.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { pullOf } from "../actions/workflow-environment.ts";
import type { Account, Author } from "./account.ts";
import { type Api, type Data, pages } from "./api.ts";

const comments = "/repos/{owner}/{repo}/issues/{issue_number}/comments";
const reviews = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews";

export function commentCalls(
  api: Api,
  account: Account,
): Pick<GitHub, "listComments" | "createComment" | "updateComment" | "deleteComment"> {
  const listed = (issue: number) =>
    pages<Data<`GET ${typeof comments}`>[number]>((page) => api("read comments", `GET ${comments}`, { issue_number: issue, ...page }));
  return {
    async listComments(issue) {
      const found = await listed(issue);
      return found.ok ? commentsOf(found.value, account) : found;
    },
    async createComment(issue, body) {
      const lookUp = async () => {
        const found = await listed(issue);
        return found.ok ? written(found.value, body, account) : found;
      };
      const made = await api("write a comment", `POST ${comments}`, { issue_number: issue, body }, lookUp);
      return made.ok ? ok({ url: made.value.html_url }) : made;
    },
    async updateComment(id, body) {
      const args = { comment_id: id, body };
      const made = await api("write a comment", "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", args);
      return made.ok ? ok({ url: made.value.html_url }) : made;
    },
    async deleteComment(id) {
      const deleted = await api("delete a comment", "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}", { comment_id: id });
      return deleted.ok ? ok(undefined) : deleted;
    },
  };
}

export function reviewCalls(api: Api, account: Account): Pick<GitHub, "listReviews" | "createReview"> {
  const listed = (number: number) =>
    pages<Data<`GET ${typeof reviews}`>[number]>((page) => api("read reviews", `GET ${reviews}`, { pull_number: number, ...page }));
  return {
    async listReviews(number) {
      const found = await listed(number);
      return found.ok ? commentsOf(found.value, account) : found;
    },
    async createReview(number, { commit, body, comments: remarks }) {
      const lines = remarks.map(({ path, line, side, startLine, body: text }) => ({
        path,
        line,
        side,
        body: text,
        ...(startLine === undefined ? {} : { start_line: startLine, start_side: side }),
      }));
      const review = { pull_number: number, commit_id: commit, event: "COMMENT" as const, body, comments: lines };
      const lookUp = async () => {
        const found = await listed(number);
        return found.ok ? written(found.value, body, account) : found;
      };
      const made = await api("write a review", `POST ${reviews}`, review, lookUp);
      return made.ok ? ok({ url: made.value.html_url }) : made;
    },
  };
}

export function pullCalls(api: Api): Pick<GitHub, "pull" | "pullFiles" | "permissionOf"> {
  return {
    async pull(number) {
      const found = await api("read a pull request", "GET /repos/{owner}/{repo}/pulls/{pull_number}", { pull_number: number });
      if (!found.ok) return found;
      const pull = pullOf({ pull_request: found.value });
      return pull === undefined
        ? err({ reason: "github-failed", doing: "read a pull request", detail: "its head or base no longer exists" })
        : ok(pull);
    },
    async pullFiles(number) {
      const route = "GET /repos/{owner}/{repo}/pulls/{pull_number}/files";
      const listed = await pages<Data<typeof route>[number]>((page) =>
        api("read the files of a pull request", route, { pull_number: number, ...page }),
      );
      if (!listed.ok) return listed;
      return ok(listed.value.map(({ filename, patch }) => ({ path: filename, ...defined({ patch }) })));
    },
    async permissionOf(login) {
      const route = "GET /repos/{owner}/{repo}/collaborators/{username}/permission";
      const found = await api("read a permission", route, { username: login });
      return found.ok ? ok(found.value.permission) : found;
    },
  };
}

interface Listed {
  readonly id: number | bigint;
  readonly body?: string | undefined;
  readonly user: Author;
}

/** Compares the account only for comments that start with a marker. */
async function commentsOf(listed: readonly Listed[], account: Account): Promise<Result<readonly IssueComment[]>> {
  const found: IssueComment[] = [];
  for (const { id, body = "", user } of listed) {
    const isOwn = body.startsWith(markerStart) ? await account.isAuthor(user) : ok(false);
    if (!isOwn.ok) return isOwn;
    found.push({ id: Number(id), body, author: user?.login ?? "", isOwn: isOwn.value });
  }
  return ok(found);
}

/** The account's newest comment with the same marker. Without a marker, the whole text must be equal. */
async function written<T extends Listed>(listed: readonly T[], body: string, account: Account): Promise<Result<T | undefined>> {
  const marker = body.startsWith(markerStart) ? firstLine(body) : undefined;
  const same = listed.filter((one) => (marker === undefined ? one.body === body : firstLine(one.body ?? "") === marker));
  for (const one of same.toReversed()) {
    const isOwn = await account.isAuthor(one.user);
    if (!isOwn.ok) return isOwn;
    if (isOwn.value) return ok(one);
  }
  return ok(undefined);
}

/** The first line of a text, which GitHub may return with CR LF. */
function firstLine(text: string): string {
  return /^[^\r\n]*/.exec(text)?.[0] ?? "";
}
