/** A pull request on the fake GitHub, with a real remote, and the payloads of events about it. */
import { gitRemote, type Remote } from "../actions/remote.ts";
import { type JobRequest, type JobResult, runJob } from "../actions/runner.ts";
import type { GitHubServer } from "./server.ts";

type Files = Readonly<Record<string, string | undefined>>;

export interface PullRequestRig {
  readonly remote: Remote;
  readonly base: string;
  readonly head: string;
  /** The commit of `refs/pull/7/merge`: its parents are the base and the head. */
  readonly merge: string;
  /** The payload of a `pull_request` event. */
  readonly event: unknown;
  /** Runs a job of a `pull_request` event on a checkout of the head, or of `commit`. */
  job(more?: Partial<JobRequest> & { readonly commit?: string }): Promise<JobResult>;
}

export interface PullRequestOptions {
  /** Whether the head is in a fork; defaults to false. */
  readonly fork?: boolean;
  /** The diff that GitHub lists; defaults to none. */
  readonly patches?: readonly { readonly filename: string; readonly patch: string }[];
}

/** Opens pull request 7: `files` on `main`, `changes` on top of them on `feature`. */
export function openPullRequest(
  github: GitHubServer,
  files: Files,
  changes: Files = {},
  { fork = false, patches = [] }: PullRequestOptions = {},
): PullRequestRig {
  const remote = gitRemote();
  const base = remote.commit("main", files);
  const head = remote.commit("feature", changes, "main");
  const merge = remote.merge(base, head);
  github.state.repository = remote.directory;
  github.state.pulls.set(7, { number: 7, head, base, fork, files: [...patches] });
  const repo = { full_name: "octo/demo" };
  const headRepo = { full_name: fork ? "stranger/demo" : "octo/demo" };
  const event = {
    pull_request: { number: 7, head: { sha: head, repo: headRepo }, base: { sha: base, ref: "main", repo }, user: { login: "mona" } },
  };
  return {
    ...{ remote, base, head, merge, event },
    job: ({ commit = head, ...more } = {}) =>
      runJob({
        workspace: more.workspace ?? remote.checkout(commit),
        sha: head,
        eventName: "pull_request",
        event,
        ref: "refs/pull/7/merge",
        apiUrl: github.url,
        ...more,
      }),
  };
}
