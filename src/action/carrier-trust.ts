/**
 * The trust level of the artifacts and cache entries that carry state to a job. Only GitHub's answers decide: the workflow
 * run of an artifact, and the ref of a cache entry. Claims in the state itself never count.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/dependency-caching#restrictions-for-accessing-a-cache
 */
import type { GitHub, WorkflowRunFacts } from "../core/github.ts";
import type { TrustLevel } from "../core/trust-level.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import { startRules } from "./start-rules.ts";

/**
 * The level of artifacts from a workflow run of this repository. `own` requires this repository as head, and a pull request
 * or an event that only accounts with write access can cause: other events may run a stranger's code. A run whose head
 * repository was deleted counts as a fork's.
 */
export function levelOfRun({ event, repositoryId, headRepositoryId }: WorkflowRunFacts): TrustLevel {
  const isOwn = event === "pull_request" || (Object.hasOwn(startRules, event) && startRules[event]?.start === "repository");
  return isOwn && headRepositoryId === repositoryId ? "own" : "fork";
}

/** The level of another workflow run's artifacts, from GitHub. Undefined without a token or an answer; they are then not used. */
export async function levelOfArtifacts(github: GitHub | undefined, workflowRun: number): Promise<TrustLevel | undefined> {
  const facts = await github?.workflowRun(workflowRun);
  return facts?.ok === true ? levelOfRun(facts.value) : undefined;
}

export interface CacheCarrier {
  /** The key of the entry that was restored. */
  readonly key: string;
  readonly context: Pick<WorkflowContext, "ref" | "pull">;
  readonly job: TrustLevel;
  /** Undefined if there is no token. */
  readonly github: GitHub | undefined;
}

/**
 * The level of a cache entry. GitHub lets a job restore entries of its own ref, the pull request's base branch and the
 * default branch, in this order. Forks save only under the ref of their pull request, so every entry is `own` to a job of
 * level `own`. For a fork's job, GitHub's API shows whether the pull request's ref has the entry. Undefined without an
 * answer.
 */
export async function levelOfCache({ key, context, job, github }: CacheCarrier): Promise<TrustLevel | undefined> {
  if (job === "own") return "own";
  if (!isPullRef(context.ref)) return "own";
  const refs = await github?.cacheRefs(key, context.ref);
  if (refs?.ok !== true) return undefined;
  return refs.value.includes(context.ref) ? "fork" : "own";
}

/**
 * Whether a job may save state in the cache. Entries of branches count as `own`, so a job that runs a fork's code under
 * another ref than the pull request's (`issue_comment`, `pull_request_target`) saves nothing.
 */
export function maySaveCache(job: TrustLevel, { ref }: Pick<WorkflowContext, "ref">): boolean {
  return job === "own" || isPullRef(ref);
}

function isPullRef(ref: string): boolean {
  return ref.startsWith("refs/pull/");
}
