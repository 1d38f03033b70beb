/** The reporters of a job on GitHub (check runs, annotations as their fallback, job summary, comment) and its publishers. */

import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { summary } from "@actions/core";
import { defined } from "../core/defined.ts";
import { describeFailure } from "../core/failures.ts";
import type { GitHub } from "../core/github.ts";
import type { Plan } from "../core/plan.ts";
import type { Reporter } from "../core/ports.ts";
import type { RunCommit } from "../core/run-commit.ts";
import type { RunRecord } from "../core/state.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import type { RunStore } from "../engine/open-project.ts";
import type { PublishRequest } from "../github/publish/publish-artifacts.ts";
import { commentPublisher, reviewPublisher } from "../github/publish/pull-request.ts";
import type { RemarkPlaces } from "../github/publish/remark-paths.ts";
import { type CheckRuns, openCheckRuns } from "../github/report/check-runs.ts";
import type { PagePlaces } from "../github/report/contract-page.ts";
import { jobSummary } from "../github/report/job-summary.ts";
import type { KnownRun } from "../github/report/known-run.ts";
import { annotationCommands, logAnnotations } from "../github/report/log-annotations.ts";
import { noteText, runPage } from "../github/report/run-page.ts";
import { commitFooter, writeSticky } from "../github/sticky-comment.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import { systemClock } from "../platform/clock.ts";
import { realPlace } from "../platform/files.ts";
import { relativeInside } from "../platform/paths.ts";
import { jobLabel, matrixSuffix } from "./job-label.ts";
import type { JobParts } from "./job-parts.ts";
import { savePostState } from "./post-state.ts";
import { repositoryPlace } from "./repository-place.ts";
import { reportKey } from "./run-identity.ts";
import { openSharedRun, type SharedRun } from "./shared-run.ts";

export interface ReportsRequest {
  readonly job: Omit<JobParts, "temp">;
  /** The commit that the job runs. */
  readonly commit: RunCommit;
  readonly store: RunStore;
  readonly pipeline: string;
  /** The project's directory, absolute. */
  readonly root: string;
  /** Warnings about the verdict, as sentences without a full stop. */
  readonly notes: readonly string[];
}

/** Reporters for one plan. */
export function githubReporters(request: ReportsRequest, plan: Plan): Reporter[] {
  const { job, store, pipeline, root } = request;
  const { github, inputs, context } = job;
  const record = async (run: string): Promise<RunRecord | undefined> => {
    const result = await store.state.findRun(run);
    return result.ok ? result.value : undefined;
  };
  const places = placesOf({ root, workspace: job.workspace });
  const shared = openSharedRun({ ...job, commentKey: resultKey(pipeline, context, inputs) });
  const checks =
    github === undefined || inputs.checks === "none" ? undefined : checkRunsOf(request, github, plan, places, { record, shared });
  const pages = pageReporter(request, plan, places, { record, shared }, checks);
  return checks === undefined ? [pages] : [checks, pages];
}

/** The run as this job records it, and as all jobs that share it report it. */
interface RunSources {
  readonly record: (run: string) => Promise<RunRecord | undefined>;
  readonly shared: SharedRun;
}

function checkRunsOf(
  { job: { inputs, context, log }, commit, notes }: ReportsRequest,
  github: GitHub,
  plan: Plan,
  places: PagePlaces,
  sources: RunSources,
): CheckRuns {
  return openCheckRuns({
    github,
    job: {
      context,
      which: inputs.checks === "pipeline" ? "pipeline" : "contract",
      label: jobLabel(context.job, inputs.matrixKey),
      ...defined({ steps: inputs.steps }),
    },
    commit,
    notes,
    plan,
    places,
    sources,
    clock: systemClock,
    hooks: {
      noteOpen: (open) => {
        savePostState("checks", JSON.stringify(open), log.warn);
        const id = open[0]?.id;
        if (id !== undefined) savePostState("check", String(id), log.warn);
      },
      warn: (failure) => {
        const { title, detail } = describeFailure(failure);
        log.notice(`${[title, ...detail].join(": ")}. Verdicts are in the log and in the job summary.`);
      },
    },
  });
}

/** Writes annotations, the summary and the comment when the run has ended. */
function pageReporter(
  request: ReportsRequest,
  plan: Plan,
  places: PagePlaces,
  { record, shared }: RunSources,
  checks: CheckRuns | undefined,
): Reporter {
  const { job: parts, commit, notes } = request;
  const { io, inputs, context, summaryFile } = parts;
  let id = "";
  return {
    name: "job summary",
    onEvent: (event) => {
      id = event.run;
    },
    async close() {
      // Only then is it known whether the checks could be written.
      await checks?.close();
      const run = await record(id);
      if (run === undefined) return;
      if (checks === undefined ? inputs.checks !== "none" : checks.isIncomplete())
        io.stdout.writeControl(logAnnotations(run, plan, places));
      else io.stdout.writeControl(annotationCommands(checks?.dropped() ?? []));
      await shared.gather(id);
      const job = matrixSuffix(context.job, inputs.matrixKey);
      const known = shared.known(run);
      const text = jobSummary({ run, known, plan, commit, job, places, taken: sizeOf(summaryFile), notes });
      if (text !== "" && summaryFile !== undefined) await summary.addRaw(io.secrets.redactor().text(text)).write();
      await comment(request, run, plan, shared);
    },
  };
}

/** The key of the comment with a pipeline's result. */
export function resultKey(pipeline: string, context: WorkflowContext, inputs: JobInputs): string {
  return `result:${pipeline}:${reportKey(context, inputs)}`;
}

async function comment(request: ReportsRequest, run: RunRecord, plan: Plan, shared: SharedRun): Promise<void> {
  const { commit, notes, pipeline } = request;
  const { github, context, inputs, io, log, services } = request.job;
  if (!inputs.comment) return;
  if (github === undefined || context.pull === undefined) {
    log.notice("No comment was written: the job has no pull request or no token.");
    return;
  }
  const contentOf = (known: KnownRun) => {
    const page = runPage(known, plan);
    const title = `${plan.pipeline.name}${matrixSuffix(context.job, inputs.matrixKey)}: ${page.title}`;
    return { title, parts: [...notes.map(noteText), page.table, ...page.problems], footer: commitFooter(commit) };
  };
  const written = await writeSticky(github, context, context.pull.number, {
    ...contentOf(shared.known(run)),
    key: resultKey(pipeline, context, inputs),
    folds: true,
    shared: {
      merge(states) {
        const { known, state } = shared.with(run, states);
        return { ...contentOf(known), state };
      },
      confirms: inputs.steps !== undefined,
      clock: { sleep: (ms) => systemClock.sleep(ms, io.signal) },
    },
  });
  if (written.ok) return;
  const { title, detail } = describeFailure(written.error);
  // A failing API is reported by a warning of its own.
  const report = services.api.isGivenUp ? log.notice : log.warn;
  report(`The result was not commented: ${[title, ...detail].join(": ")}.`);
}

/** The job's publishers, or the reason why it cannot publish, as a clause. */
export function publishersOf(reports: ReportsRequest): NonNullable<PublishRequest["publishers"]> {
  const { job, commit, pipeline, store } = reports;
  const { github, context, inputs } = job;
  if (context.pull === undefined) return "the job has no pull request";
  if (github === undefined) return "the job has no token";
  const request = {
    github,
    context,
    commit,
    pull: context.pull,
    pipeline,
    reportKey: reportKey(context, inputs),
    redactor: store.redactor,
    places: remarkPlaces(reports),
  };
  return new Map([commentPublisher(request), reviewPublisher(request)].map((publisher) => [publisher.kind, publisher]));
}

function remarkPlaces({ root, job: { workspace } }: ReportsRequest): RemarkPlaces {
  const { top, prefix } = repositoryPlace(root, workspace);
  // Steps may use the workflow's path of the checkout, which may contain symbolic links.
  const below = relativeInside(realPlace(workspace) ?? workspace, top);
  const tops = [top, ...(below === undefined ? [] : [path.join(workspace, below)])];
  return {
    prefix,
    tops: tops.map((one) => one.split(path.sep).join("/")),
    isFile: (file) => isFileAt(path.join(top, file)),
  };
}

/** False for an invalid path, such as one with a null byte or one that is too long. */
function isFileAt(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** How reports turn paths of the project into paths of the repository, which may be its parent directory. */
export function placesOf({ root, workspace }: Pick<ReportsRequest, "root"> & Pick<JobParts, "workspace">): PagePlaces {
  const cache = new Map<string, boolean>();
  const isFile = (file: string) => !path.isAbsolute(file) && !file.split("/").includes("..") && isFileAt(path.join(root, file));
  return {
    prefix: repositoryPlace(root, workspace).prefix,
    isFile: (file) => {
      const exists = cache.get(file) ?? isFile(file);
      cache.set(file, exists);
      return exists;
    },
  };
}

/** The size of the job summary so far, in bytes. */
export function sizeOf(file: string | undefined): number {
  return file === undefined || !existsSync(file) ? 0 : readFileSync(file).length;
}
