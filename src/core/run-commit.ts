/**
 * Compares the commit that a job ran with the commit that its checks are written for. A verdict counts only for the
 * code that was run: the commit itself, or its merge with the target branch. Pure.
 */
import type { CheckConclusion } from "./github.ts";
import type { WorkflowContext } from "./workflow-context.ts";

/** The commit that is checked out. */
export interface CheckedOut {
  readonly commit: string;
  /** As the commit names them, even in a shallow clone; empty if they cannot be read. */
  readonly parents: readonly string[];
}

export interface RunCommit {
  /** The commit that was run; undefined if the project is not the checkout of a repository. */
  readonly ran?: string;
  /** The commit that checks are written for: the head of the pull request, else GITHUB_SHA. */
  readonly expected: string;
  /** Whether a run of `ran` is valid for `expected`. */
  readonly matches: boolean;
}

/** Events for which GITHUB_SHA is GitHub's merge commit of the pull request. */
const mergeEvents: ReadonlySet<string> = new Set(["pull_request", "pull_request_review", "pull_request_review_comment"]);

type CommitContext = Pick<WorkflowContext, "sha" | "ref" | "pull" | "eventName">;

/**
 * Compares the checkout with the commit of the event. `begun` is the commit on which a resumed run started: its passed
 * steps do not run again, so that commit has to match too.
 */
export function runCommitOf(context: CommitContext, checkedOut: CheckedOut | undefined, begun?: string): RunCommit {
  const now = compared(context, checkedOut);
  if (!now.matches || begun === undefined || begun === now.ran) return now;
  // Its parents are unknown, because a shallow checkout of another commit does not contain it.
  return compared(context, { commit: begun, parents: [] });
}

function compared({ sha, ref, pull, eventName }: CommitContext, checkedOut: CheckedOut | undefined): RunCommit {
  const expected = pull?.headSha || sha;
  if (checkedOut === undefined) return { expected, matches: false };
  const { commit, parents } = checkedOut;
  const isEventMerge = pull !== undefined && mergeEvents.has(eventName) && ref === `refs/pull/${pull.number}/merge` && commit === sha;
  return { ran: commit, expected, matches: commit === expected || isEventMerge || isMergeOf(parents, expected, pull?.baseSha) };
}

/** A merge of a commit has it as second parent, or as first parent if the base of its pull request is the second. */
function isMergeOf([first, second, ...more]: readonly string[], commit: string, base: string | undefined): boolean {
  return more.length === 0 && (second === commit || (first === commit && second !== undefined && second === base));
}

/** No required check accepts a verdict about other code. A cancelled run has no verdict. */
export function conclusionFor({ matches }: RunCommit, conclusion: CheckConclusion): CheckConclusion {
  return matches || conclusion === "cancelled" ? conclusion : "action_required";
}

/** Why a check run has no verdict, naming both commits. Undefined if the commit was run. */
export function otherCommitText({ ran, expected, matches }: RunCommit): string | undefined {
  if (matches) return undefined;
  return ran === undefined
    ? `the project is not a checkout of commit ${shortCommit(expected)}`
    : `commit ${shortCommit(ran)} was run instead of ${shortCommit(expected)}`;
}

/** An abbreviated commit id for messages. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 12);
}
