/** Reports a job that a bug in Wave or an error of the machine ended. Runs in `post`. */
import type { GitHub } from "../core/github.ts";
import type { Io } from "../core/io.ts";
import { runCommitOf } from "../core/run-commit.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import { brokenPage } from "../github/report/failure-page.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import { withinLimit } from "../text/markdown.ts";
import { checkedOutIn } from "./checked-out.ts";
import type { JobLog } from "./job-log.ts";
import type { JobServices } from "./job-services.ts";
import { jobTemp } from "./job-state.ts";
import { type NamedProject, pipelineNameOf } from "./pipeline-name.ts";
import { writeFailedCheck, writeFailedComment, writeFailedSummary } from "./report-failure.ts";

export interface EndedJob {
  readonly log: JobLog;
  readonly inputs: JobInputs;
  readonly context: WorkflowContext;
  readonly io: Io;
  readonly services: JobServices;
  readonly variables: Io["env"];
  /** The checkout. */
  readonly workspace: string;
  readonly summaryFile: string | undefined;
}

/** The error that `enter-action.ts` saved. */
export interface SavedError {
  readonly kind: "bug" | "trouble";
  readonly detail: string;
}

/** Maximum length of the check's summary, in characters. */
const maxLength = 60_000;

/**
 * Fails the pipeline's check, which the run may have completed as cancelled, and updates the comment and the summary.
 * `check` is its id; undefined if the job has not written one. Never rejects.
 */
export async function reportBroken(
  job: EndedJob & { readonly github?: GitHub },
  { kind, detail }: SavedError,
  project: NamedProject,
  check: number | undefined,
): Promise<void> {
  const page = brokenPage(kind, detail);
  const { conclusion, title, parts } = page;
  const known = { ...job, temp: jobTemp(job.variables, job.workspace) };
  const commit = runCommitOf(job.context, await checkedOutIn(project.root ?? job.workspace));
  const pipeline = await pipelineNameOf(known, project);
  if (check === undefined) await writeFailedCheck(known, page, pipeline, commit);
  else await job.github?.updateCheck(check, { conclusion, output: { title, summary: withinLimit(parts, maxLength) } });
  await writeFailedComment(known, page, pipeline, commit);
  await writeFailedSummary(job, page, pipeline);
}
