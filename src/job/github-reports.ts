/** What a job reports to GitHub: check runs, annotations where those cannot be written, the job summary, a comment; and who publishes. */
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { summary } from "@actions/core";
import { describeFailure } from "../model/describe.ts";
import type { GitHub } from "../model/github.ts";
import type { Io } from "../model/io.ts";
import type { Plan } from "../model/plan.ts";
import type { Reporter } from "../model/ports.ts";
import type { RunCommit } from "../model/run-commit.ts";
import type { RunRecord } from "../model/state.ts";
import { commitFooter, writeSticky } from "../model/sticky-comment.ts";
import type { WorkflowContext } from "../model/workflow-context.ts";
import type { Memory } from "../open-project.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import { systemClock } from "../platform/clock.ts";
import type { PublishRequest } from "../publish/publish-artifacts.ts";
import { commentPublisher, reviewPublisher } from "../publish/pull-request.ts";
import { type CheckRuns, openCheckRuns } from "../report/github/check-runs.ts";
import type { PagePlaces } from "../report/github/contract-page.ts";
import { jobSummary } from "../report/github/job-summary.ts";
import { annotationCommands, logAnnotations } from "../report/github/log-annotations.ts";
import { noteText, runPage } from "../report/github/run-page.ts";
import { jobLabel, matrixSuffix } from "./job-label.ts";
import type { JobLog } from "./job-log.ts";
import type { JobServices } from "./job-services.ts";
import { noteForPost } from "./note-for-post.ts";
import { shortMatrixKey } from "./run-identity.ts";

export interface ReportsRequest {
  readonly io: Io;
  readonly log: JobLog;
  readonly inputs: JobInputs;
  readonly context: WorkflowContext;
  /** The commit that the job runs. */
  readonly commit: RunCommit;
  /** Absent: there is no token. */
  readonly github?: GitHub;
  readonly services: JobServices;
  readonly memory: Memory;
  readonly pipeline: string;
  /** The project, and the checkout that it lies in. */
  readonly root: string;
  readonly workspace: string;
  readonly summaryFile: string | undefined;
  /** Warnings about what the verdict is worth, as sentences without a stop. */
  readonly notes: readonly string[];
}

/** Reporters for one plan. */
export function githubReporters(request: ReportsRequest, plan: Plan): Reporter[] {
  const { github, inputs, memory } = request;
  const record = async (run: string): Promise<RunRecord | undefined> => {
    const found = await memory.state.findRun(run);
    return found.ok ? found.value : undefined;
  };
  const places = placesOf(request);
  const checks = github === undefined || inputs.checks === "none" ? undefined : checkRunsOf(request, github, plan, places, record);
  const pages = pageReporter(request, plan, places, record, checks);
  return checks === undefined ? [pages] : [checks, pages];
}

function checkRunsOf(
  { inputs, context, commit, log, notes }: ReportsRequest,
  github: GitHub,
  plan: Plan,
  places: PagePlaces,
  record: (run: string) => Promise<RunRecord | undefined>,
): CheckRuns {
  return openCheckRuns({
    ...{ github, context, commit, notes, plan, places, record, clock: systemClock },
    which: inputs.checks === "pipeline" ? "pipeline" : "contract",
    label: jobLabel(context.job, inputs.matrixKey),
    ...(inputs.steps === undefined ? {} : { steps: inputs.steps }),
    noteOpen: (open) => {
      noteForPost("checks", JSON.stringify(open), log.warn);
      const id = open[0]?.id;
      if (id !== undefined) noteForPost("check", String(id), log.warn);
    },
    warn: (failure) => {
      const { title, detail } = describeFailure(failure);
      log.notice(`${[title, ...detail].join(": ")}. Verdicts are in the log and in the job summary.`);
    },
  });
}

/** Writes what is written once, at the end: annotations, the summary, the comment. */
function pageReporter(
  request: ReportsRequest,
  plan: Plan,
  places: PagePlaces,
  record: (run: string) => Promise<RunRecord | undefined>,
  checks: CheckRuns | undefined,
): Reporter {
  const { io, inputs, commit } = request;
  const steps = inputs.steps === undefined ? {} : { steps: inputs.steps };
  let id = "";
  return {
    name: "job summary",
    onEvent: (event) => {
      id = event.run;
    },
    async close() {
      // Whether checks can be written is known once they are.
      await checks?.close();
      const run = await record(id);
      if (run === undefined) return;
      if (checks === undefined ? inputs.checks !== "none" : checks.isIncomplete())
        io.stdout.writeControl(logAnnotations(run, plan, places));
      else io.stdout.writeControl(annotationCommands(checks?.dropped() ?? []));
      const job = matrixSuffix(request.context.job, inputs.matrixKey);
      const text = jobSummary({ run, plan, commit, job, ...steps, places, taken: sizeOf(request.summaryFile), notes: request.notes });
      if (text !== "" && request.summaryFile !== undefined) await summary.addRaw(io.secrets.redactor().text(text)).write();
      await comment(request, run, plan);
    },
  };
}

/** Identifies the comment with the result of a pipeline in one job of a matrix. */
export function resultKey(pipeline: string, matrixKey: string): string {
  return `result:${pipeline}:${shortMatrixKey(matrixKey)}`;
}

async function comment(
  { github, context, commit: ranCommit, inputs, log, notes, pipeline, services }: ReportsRequest,
  run: RunRecord,
  plan: Plan,
): Promise<void> {
  if (!inputs.comment) return;
  if (github === undefined || context.pull === undefined) {
    log.notice("No comment was written: there is no pull request here, or no token.");
    return;
  }
  const page = runPage(run, plan, inputs.steps);
  const key = resultKey(pipeline, inputs.matrixKey);
  const title = `${plan.pipeline.name}${matrixSuffix(context.job, inputs.matrixKey)}: ${page.title}`;
  const written = await writeSticky(github, context, context.pull.number, {
    key,
    title,
    parts: [...notes.map(noteText), page.table, ...page.problems],
    folds: true,
    footer: commitFooter(ranCommit),
  });
  if (written.ok) return;
  const { title: what, detail } = describeFailure(written.error);
  // That the API does not answer is a warning already.
  const say = services.api.isGivenUp ? log.notice : log.warn;
  say(`The result was not commented: ${[what, ...detail].join(": ")}.`);
}

/** Who publishes in this job; or why nobody does. */
export function publishersOf({ github, context, commit, pipeline, memory }: ReportsRequest): NonNullable<PublishRequest["publishers"]> {
  if (context.pull === undefined) return "there is no pull request here";
  if (github === undefined) return "there is no token to publish with";
  const request = { github, context, commit, pull: context.pull, pipeline, redactor: memory.redactor };
  return new Map([commentPublisher(request), reviewPublisher(request)].map((publisher) => [publisher.kind, publisher]));
}

/** Paths in reports are the repository's; the project may lie in a directory of it. */
export function placesOf({ root, workspace }: Pick<ReportsRequest, "root" | "workspace">): PagePlaces {
  const below = path.relative(workspace, root).split(path.sep).join("/");
  const known = new Map<string, boolean>();
  const isFile = (file: string) =>
    !path.isAbsolute(file) &&
    !file.split("/").includes("..") &&
    statSync(path.join(root, file), { throwIfNoEntry: false })?.isFile() === true;
  return {
    prefix: below === "" ? "" : `${below}/`,
    isFile: (file) => {
      const is = known.get(file) ?? isFile(file);
      known.set(file, is);
      return is;
    },
  };
}

/** The size of the job summary so far, in bytes. */
export function sizeOf(file: string | undefined): number {
  return file === undefined || !existsSync(file) ? 0 : readFileSync(file).length;
}
