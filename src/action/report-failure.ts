/**
 * Reports a job that fails before its run starts: an invalid manifest, a missing checkout, state that cannot be opened. Fails
 * its check, so that a required check neither waits forever nor keeps an earlier verdict. Updates comment and job summary.
 */
import { setOutput, summary } from "@actions/core";
import type { Failure } from "../core/failure.ts";
import { describeFailure, exitCodeOf } from "../core/failures.ts";
import { type RunCommit, runCommitOf } from "../core/run-commit.ts";
import { checkName } from "../github/report/check-name.ts";
import { type FailurePage, failurePage } from "../github/report/failure-page.ts";
import { annotationCommands } from "../github/report/log-annotations.ts";
import { writeCheck } from "../github/report/write-check.ts";
import { commitFooter, writeSticky } from "../github/sticky-comment.ts";
import { renderDiagnostics } from "../reporters/diagnostics/render-diagnostics.ts";
import { plainText, withinLimit } from "../text/markdown.ts";
import { checkedOutIn } from "./checked-out.ts";
import { placesOf, resultKey, sizeOf } from "./github-reports.ts";
import { jobLabel, matrixSuffix } from "./job-label.ts";
import type { JobLog } from "./job-log.ts";
import { type NamedProject, type NamingJob, pipelineNameOf } from "./pipeline-name.ts";

export interface FailedJob extends NamingJob {
  readonly log: JobLog;
  readonly summaryFile: string | undefined;
}

/** Maximum length of the text in a check run or a job summary, in characters. */
const maxLength = 60_000;
/** GitHub's limit for the summary of one job step, in bytes. */
const summaryBytes = 1024 * 1024;

/** Sets the output `status` and reports the failure in the log, check, comment and summary. Returns the exit status. Never rejects. */
export async function reportFailure(job: FailedJob, failure: Failure, project: NamedProject = {}): Promise<number> {
  const { io, log, inputs } = job;
  setOutput("status", "error");
  const executes = inputs.command === "run" || inputs.command === "resume";
  const reported = executes ? await reportOutside(job, failure, project) : false;
  if (failure.reason !== "manifest-invalid") return log.fail(failure);
  const diagnostics = io.secrets.redactor().value(failure.diagnostics);
  // The check already shows the annotations.
  if (reported) io.stdout.write(renderDiagnostics(diagnostics, () => undefined, "text", { color: false }));
  else io.stdout.writeControl(renderDiagnostics(diagnostics, () => undefined, "github", { color: false }));
  return exitCodeOf(failure);
}

/** Writes the check, the comment and the summary. Returns whether the check was written. */
async function reportOutside(job: FailedJob, failure: Failure, project: NamedProject): Promise<boolean> {
  const { context, workspace } = job;
  const root = project.root ?? workspace;
  const commit = runCommitOf(context, await checkedOutIn(root));
  const isOfCommit = commit.matches && project.from === undefined;
  const page = failurePage(failure, isOfCommit ? placesOf({ root, workspace }) : undefined);
  const name = await pipelineNameOf(job, project);
  const isWritten = await writeFailedCheck(job, page, name, commit);
  await writeFailedComment(job, page, name, commit);
  await writeFailedSummary(job, page, name);
  return isWritten;
}

/** Writes the failed check of a pipeline. Returns false if checks are off, if there is no token, or if GitHub fails. */
export async function writeFailedCheck(
  { io, log, inputs, context, github }: Pick<FailedJob, "context" | "github" | "inputs" | "io" | "log">,
  { conclusion, title, parts, annotations }: FailurePage,
  pipeline: string,
  { expected }: Pick<RunCommit, "expected">,
): Promise<boolean> {
  if (inputs.checks === "none" || github === undefined) return false;
  const { owner, repo, serverUrl, runId, runAttempt } = context;
  const head = {
    name: checkName(pipeline, jobLabel(context.job, inputs.matrixKey)),
    headSha: expected,
    externalId: `wave:failed:${runId}:${runAttempt}`,
    detailsUrl: `${serverUrl}/${owner}/${repo}/actions/runs/${runId}/attempts/${runAttempt}`,
  };
  const written = await writeCheck(github, { head, conclusion, output: { title, summary: withinLimit(parts, maxLength) }, annotations });
  io.stdout.writeControl(annotationCommands(io.secrets.redactor().value(written.failure === undefined ? written.dropped : [])));
  if (written.failure === undefined) return true;
  log.notice(`${sentenceOf(written.failure)}. The failure is in the log and in the job summary.`);
  return false;
}

/** Updates the comment with the pipeline's result, if the job keeps one. */
export async function writeFailedComment(
  { log, inputs, context, github }: Pick<FailedJob, "context" | "github" | "inputs" | "log">,
  { title, parts }: FailurePage,
  pipeline: string,
  commit: RunCommit,
): Promise<void> {
  if (!inputs.comment || github === undefined || context.pull === undefined) return;
  const written = await writeSticky(github, context, context.pull.number, {
    key: resultKey(pipeline, context, inputs),
    title: `${pipeline}${matrixSuffix(context.job, inputs.matrixKey)}: ${title}`,
    parts,
    folds: true,
    footer: commitFooter(commit),
  });
  if (!written.ok) log.warn(`The result was not commented: ${sentenceOf(written.error)}.`);
}

/** Adds the failure to the job summary, unless the summary would exceed GitHub's limit. */
export async function writeFailedSummary(
  { io, inputs, context, summaryFile }: Pick<FailedJob, "context" | "inputs" | "io" | "summaryFile">,
  { title, parts }: FailurePage,
  pipeline: string,
): Promise<void> {
  if (summaryFile === undefined) return;
  const heading = `### ${plainText(pipeline + matrixSuffix(context.job, inputs.matrixKey))}: ${plainText(title)}`;
  const text = `${withinLimit([heading, ...parts], maxLength)}\n`;
  if (Buffer.byteLength(text) + sizeOf(summaryFile) > summaryBytes - 1000) return;
  await summary.addRaw(io.secrets.redactor().text(text)).write();
}

function sentenceOf(failure: Failure): string {
  const { title, detail } = describeFailure(failure);
  return [title, ...detail].join(": ");
}
