/** The calls to GitHub's REST API that Wave needs. They never throw: an error or a missing answer is `github-failed`. */
import { getOctokit } from "@actions/github";
import type { GitHub } from "../../core/github.ts";
import type { Clock } from "../../core/ports.ts";
import { ok } from "../../core/result.ts";
import { accountOf } from "../../platform/github/account.ts";
import type { Api } from "../../platform/github/api.ts";
import { attempt } from "../../platform/github/attempt.ts";
import { checkCalls } from "../../platform/github/check-calls.ts";
import { commitCalls } from "../../platform/github/commit-calls.ts";
import { commentCalls, pullCalls, reviewCalls } from "../../platform/github/conversation-calls.ts";
import type { ServiceHealth } from "../../platform/service-health.ts";
import { withCleanTexts } from "./clean-texts.ts";

export interface GitHubRequest {
  readonly token: string;
  readonly owner: string;
  readonly repo: string;
  readonly apiUrl: string;
  readonly clock: Clock;
  /** The API's health, shared by the whole job. */
  readonly health: ServiceHealth;
  /** Redacts secrets in written texts. Defaults to no change. */
  readonly redact?: (text: string) => string;
  /** Cancels waiting for a retry. */
  readonly signal?: AbortSignal;
}

/** Creates the client without sending a request. */
export function openGitHub(request: GitHubRequest): GitHub {
  const { owner, repo } = request;
  const octokit = getOctokit(request.token, { baseUrl: request.apiUrl, userAgent: "wave" });
  const api: Api = (doing, route, parameters, ...[lookUp]) => {
    const repository = route.includes("{owner}/{repo}") ? { owner, repo } : {};
    return attempt(request, {
      doing,
      send: (signal) => octokit.request(route, { ...repository, ...parameters, request: { signal } } as never) as never,
      ...(lookUp === undefined ? {} : { lookUp: lookUp as never }),
    });
  };
  const account = accountOf(request.token, {
    async userLogin() {
      const user = await api("read the account of the token", "GET /user", {});
      return user.ok ? ok(user.value.login) : user;
    },
    async viewerLogin() {
      const send = async (signal: AbortSignal) => ({
        data: await octokit.graphql<{ viewer: { login: string } }>("query { viewer { login } }", { request: { signal } }),
      });
      const answer = await attempt(request, { doing: "read the account of the token", send });
      return answer.ok ? ok(answer.value.viewer.login) : answer;
    },
  });
  const github = {
    ...checkCalls(api),
    ...commentCalls(api, account),
    ...reviewCalls(api, account),
    ...pullCalls(api),
    ...commitCalls(api),
    ...actionsCalls(api),
  };
  return withCleanTexts(github, request.redact ?? ((text) => text));
}

function actionsCalls(api: Api): Pick<GitHub, "workflowRun" | "cacheRefs"> {
  return {
    async workflowRun(id) {
      const run = await api("read a workflow run", "GET /repos/{owner}/{repo}/actions/runs/{run_id}", { run_id: id });
      if (!run.ok) return run;
      const { event, repository } = run.value;
      // Null for a deleted fork, although GitHub's schema requires it.
      const head = run.value.head_repository as { readonly id: number | bigint } | null | undefined;
      return ok({ event, repositoryId: Number(repository.id), ...(head == null ? {} : { headRepositoryId: Number(head.id) }) });
    },
    async cacheRefs(key, ref) {
      const listed = await api("read cache entries", "GET /repos/{owner}/{repo}/actions/caches", { key, ref, per_page: 100 });
      if (!listed.ok) return listed;
      return ok(listed.value.actions_caches.flatMap((entry) => (entry.key === key && entry.ref !== undefined ? [entry.ref] : [])));
    },
  };
}
