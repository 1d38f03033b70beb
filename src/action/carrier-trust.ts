/**
 * The trust level of what carries state to a job. GitHub's answers decide: the workflow run that an artifact belongs to, and the ref that a cache entry
 * was saved under. What state itself claims never counts.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/dependency-caching#restrictions-for-accessing-a-cache
 */
import type { GitHub, WorkflowRunFacts } from "../core/github.ts";
import type { TrustLevel } from "../core/trust-level.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import { startRules } from "./start-rules.ts";

/**
 * The level of what a workflow run of this repository uploaded: `own` for events that only accounts with write access cause, and for pull requests,
 * if its head repository is this one. Other events may work on a stranger's code. A run whose head repository is gone counts as a fork's.
 */
export function levelOfRun({ event, repositoryId, headRepositoryId }: WorkflowRunFacts): TrustLevel {
  const isOwn = event === "pull_request" || (Object.hasOwn(startRules, event) && startRules[event]?.start === "repository");
  return isOwn && headRepositoryId === repositoryId ? "own" : "fork";
}

/** Asks GitHub for the level of what another workflow run uploaded. Undefined if there is no token, or no answer: then it is not used. */
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
 * The level of a cache entry. GitHub lets a job restore entries of its own ref, the pull request's base branch and the default branch, in this order,
 * and forks save under the ref of their pull request alone: to a job of level `own` every entry is `own`. For a fork's job GitHub is asked whether the
 * pull request's own ref has the entry; without an answer the level is unknown.
 */
export async function levelOfCache({ key, context, job, github }: CacheCarrier): Promise<TrustLevel | undefined> {
  if (job === "own") return "own";
  if (!isPullRef(context.ref)) return "own";
  const refs = await github?.cacheRefs(key, context.ref);
  if (refs?.ok !== true) return undefined;
  return refs.value.includes(context.ref) ? "fork" : "own";
}

/**
 * Whether a job may save state in the cache. Entries of branches count as `own`, so a job that works on a fork's code outside of the pull request's own
 * ref (`issue_comment`, `pull_request_target`) saves nothing.
 */
export function maySaveCache(job: TrustLevel, { ref }: Pick<WorkflowContext, "ref">): boolean {
  return job === "own" || isPullRef(ref);
}

function isPullRef(ref: string): boolean {
  return ref.startsWith("refs/pull/");
}
