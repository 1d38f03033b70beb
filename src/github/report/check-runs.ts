/**
 * Writes check runs: one for the pipeline, in progress while it runs, and one per contract. An open check is always completed:
 * by `close`, by `post` from saved data, or by the next attempt if the machine was lost.
 * https://docs.github.com/en/rest/checks/runs
 */
import { defined } from "../../core/defined.ts";
import type { WaveEvent } from "../../core/event.ts";
import type { Failure } from "../../core/failure.ts";
import type { CheckAnnotation, CheckConclusion, CheckOutput, GitHub, ListedCheck, NewCheck } from "../../core/github.ts";
import type { Plan } from "../../core/plan.ts";
import type { Clock, Reporter } from "../../core/ports.ts";
import { conclusionFor, otherCommitText, type RunCommit } from "../../core/run-commit.ts";
import type { RunRecord, StepRecord } from "../../core/state.ts";
import type { WorkflowContext } from "../../core/workflow-context.ts";
import { workflowOf } from "../../platform/process-identity.ts";
import { plainText, withinLimit } from "../../text/markdown.ts";
import { checkName } from "./check-name.ts";
import { type ContractPage, contractPage, type PagePlaces, type SourceRun } from "./contract-page.ts";
import type { KnownRun } from "./known-run.ts";
import { noteText, runPage, runText } from "./run-page.ts";
import { writeCheck } from "./write-check.ts";

export interface CheckRunsRequest {
  readonly github: GitHub;
  readonly job: CheckedJob;
  /** Checks are written for `expected`. A run of another commit cannot pass them. */
  readonly commit: RunCommit;
  /** Warnings above each verdict, as sentences without a full stop. */
  readonly notes: readonly string[];
  readonly plan: Plan;
  readonly sources: RunSources;
  readonly places: PagePlaces;
  readonly clock: Clock;
  readonly hooks: CheckHooks;
}

/** The job that writes the checks. */
interface CheckedJob {
  readonly context: WorkflowContext;
  /** `pipeline`: only the pipeline's check. `contract`: one per contract too. */
  readonly which: "pipeline" | "contract";
  /** Distinguishes the checks of different jobs: the job's id and its matrix values. */
  readonly label: string;
  /** The steps that the job executes. Defaults to all. */
  readonly steps?: readonly string[];
}

interface RunSources {
  /** The current record of the run. Undefined if it cannot be read. */
  readonly record: (run: string) => Promise<RunRecord | undefined>;
  /** The run with the results of all jobs. `gather` reads the other jobs' results, once. */
  readonly shared: { gather(run: string): Promise<void>; known(record: RunRecord): KnownRun };
}

interface CheckHooks {
  /** Called after every change with the checks that must still be completed. */
  readonly noteOpen: (checks: readonly OpenCheck[]) => void;
  readonly warn: (failure: Failure) => void;
}

/** A check that is not completed yet. Can be written as JSON. */
export interface OpenCheck {
  /** Undefined if it could not be created yet. */
  readonly id?: number;
  readonly head: CheckHead;
  /** Undefined while the run has no verdict. */
  readonly verdict?: { readonly conclusion: CheckConclusion; readonly output: CheckOutput };
}

type CheckHead = Pick<NewCheck, "name" | "headSha" | "externalId" | "detailsUrl">;

export interface CheckRuns extends Reporter {
  /** Whether a check could not be written. */
  isIncomplete(): boolean;
  /** Annotations that are missing from the written checks. */
  dropped(): readonly CheckAnnotation[];
}

/** Maximum length of one text, in characters. */
const limits = { text: 65_000 } as const;
/** Minimum interval between updates of a check in progress, in milliseconds. A token may write 80 times a minute. */
const updateMs = 10_000;

export function openCheckRuns(request: CheckRunsRequest): CheckRuns {
  const state = { run: "", isRefused: false, isIncomplete: false, dropped: [] as CheckAnnotation[] };
  const executed = new Set<string>();
  let last: Promise<void> = Promise.resolve();
  let closed: Promise<void> | undefined;
  let missing = 0;
  const inTurn = (work: () => Promise<void>) => {
    last = last.then(work);
  };
  const failed = (failure: Failure) => {
    if (!state.isIncomplete) request.hooks.warn(failure);
    state.isIncomplete = true;
    if (failure.reason !== "github-failed" || failure.limited === true) return;
    // GitHub answers 404 to a token without access, but sometimes by mistake.
    if (failure.status === 404) missing += 1;
    state.isRefused ||= failure.status === 403 || missing > 1;
  };
  const pipeline = pipelineCheck(request, state, failed);
  const contracts = contractChecks(request, state, failed);
  const mine = ({ id }: StepRecord) => request.job.steps === undefined || request.job.steps.includes(id);
  return {
    name: "check runs",
    isIncomplete: () => state.isIncomplete,
    dropped: () => state.dropped,
    onEvent(event: WaveEvent) {
      if (state.run === "") {
        state.run = event.run;
        inTurn(pipeline.begin);
      }
      if (event.type === "attempt-started" || event.type === "step-reused" || event.type === "step-finished") executed.add(event.step);
      if (event.type !== "step-finished") return;
      inTurn(() => contracts(({ id }) => id === event.step));
      inTurn(() => pipeline.update(false));
    },
    close() {
      closed ??= end();
      return closed;
    },
  };

  async function end(): Promise<void> {
    if (state.run === "") return;
    await pipeline.saveVerdict();
    // A step that passed in an earlier attempt already has its checks.
    inTurn(() => contracts((step) => mine(step) && (executed.has(step.id) || step.status !== "passed")));
    inTurn(() => pipeline.update(true));
    await last;
  }
}

/** State that the checks of one run share. */
interface ChecksState {
  readonly run: string;
  /** Whether the job's token may not write checks. */
  readonly isRefused: boolean;
  readonly dropped: CheckAnnotation[];
}

function pipelineCheck(request: CheckRunsRequest, state: ChecksState, failed: (failure: Failure) => void) {
  const { github, clock } = request;
  const { noteOpen } = request.hooks;
  let id: number | undefined;
  let updatedAt = 0;
  const write = async (output: CheckOutput, conclusion?: CheckConclusion) => {
    const change = { ...defined({ conclusion }), output };
    if (id !== undefined) return github.updateCheck(id, change);
    const created = await github.createCheck({ ...headOf(request, state.run, ""), ...change });
    if (created.ok) id = created.value.id;
    return created;
  };
  const open = (): OpenCheck => ({ ...defined({ id }), head: headOf(request, state.run, "") });
  const verdictOf = (record: RunRecord | undefined) => conclusionFor(request.commit, conclusionOf(record, request.job.steps));
  return {
    async begin() {
      await completeLost(github, request.job.context, open().head);
      const written = await write({ title: "in progress", summary: "The run has started." });
      if (written.ok) noteOpen([open()]);
      else failed(written.error);
    },
    /** Saves the verdict for `post`, in case the job ends before GitHub receives it. */
    async saveVerdict() {
      if (state.isRefused && id === undefined) return;
      const record = await request.sources.record(state.run);
      const title = record === undefined ? unknown.title : pipelineOutput(record, request).title;
      const output = { title, summary: "The run has ended. Its report is in the job summary." };
      noteOpen([{ ...open(), verdict: { conclusion: verdictOf(record), output } }]);
    },
    async update(isFinal: boolean) {
      if (state.isRefused && (!isFinal || id === undefined)) return;
      if (!isFinal && clock.monotonic() - updatedAt < updateMs) return;
      updatedAt = clock.monotonic();
      if (isFinal) await request.sources.shared.gather(state.run);
      const record = await request.sources.record(state.run);
      const output = record === undefined ? unknown : pipelineOutput(record, request);
      const written = await write(output, isFinal ? verdictOf(record) : undefined);
      if (!written.ok) failed(written.error);
      else noteOpen(isFinal ? [] : [open()]);
    },
  };
}

const unknown = { title: "not known", summary: "The run's state can no longer be read." };

/** Completes the check runs that earlier attempts of this workflow run left in progress because their machine was lost. */
async function completeLost(github: GitHub, context: WorkflowContext, { headSha, name, externalId }: CheckHead): Promise<void> {
  if (context.runAttempt === 1) return;
  const listed = await github.listChecks(headSha, name);
  for (const check of listed.ok ? listed.value : []) {
    const attempt = check.isCompleted ? undefined : earlierAttempt(check, context, externalId);
    if (attempt === undefined) continue;
    const title = `the machine of attempt ${attempt} was lost`;
    const summary = `Attempt ${attempt} ended before its run did. Attempt ${context.runAttempt} has a check run of its own.`;
    await github.updateCheck(check.id, { conclusion: "cancelled", output: { title, summary } });
  }
}

/** The attempt of a check run of the same run or workflow run, if it is an earlier one. */
function earlierAttempt({ externalId, detailsUrl }: ListedCheck, { runId, runAttempt }: WorkflowContext, own: string): number | undefined {
  const [, run, attempt] = /^wave:(.+):(\d+)$/.exec(externalId) ?? [];
  const isOurs = own === `wave:${run}:${runAttempt}` || detailsUrl.includes(`/actions/runs/${runId}/attempts/`);
  return isOurs && Number(attempt) < runAttempt ? Number(attempt) : undefined;
}

/** Returns a function that writes the checks of steps' contracts, each once. */
function contractChecks(request: CheckRunsRequest, state: ChecksState, failed: (failure: Failure) => void) {
  const written = new Set<string>();
  return async (which: (step: StepRecord) => boolean): Promise<void> => {
    const record = state.isRefused || request.job.which === "pipeline" ? undefined : await request.sources.record(state.run);
    for (const { step: planned } of record === undefined ? [] : request.plan.steps) {
      const step = record?.steps.find(({ id }) => id === planned.id);
      if (step === undefined || !which(step)) continue;
      for (const contract of planned.contracts) {
        const head = headOf(request, state.run, `${step.id}: ${contract.name}`);
        if (written.has(head.name) || state.isRefused) continue;
        const reused = await reusedBy(request, step);
        const page = pageFor(request.commit, state.run, contractPage(step, contract, request.places, record?.steps, reused));
        const output = { title: page.title, summary: withinLimit([...request.notes.map(noteText), ...page.parts], limits.text) };
        const check = await writeCheck(request.github, { ...page, head, output });
        if (check.failure !== undefined) failed(check.failure);
        if (!check.isCreated) continue;
        written.add(head.name);
        state.dropped.push(...check.dropped);
      }
    }
  };
}

/** The run whose result a step reuses. Undefined if the step was executed. */
async function reusedBy({ sources, job }: CheckRunsRequest, { reusedFrom }: StepRecord): Promise<SourceRun | undefined> {
  if (reusedFrom === undefined) return undefined;
  const source = await sources.record(reusedFrom.run);
  const workflow = source === undefined ? undefined : workflowOf(source.writer.host);
  const { owner, repo, serverUrl } = job.context;
  return {
    ...defined({ record: source }),
    ...(workflow === undefined ? {} : { url: `${serverUrl}/${owner}/${repo}/actions/runs/${workflow.run}/attempts/${workflow.attempt}` }),
  };
}

/** Adds the run and the commit to a page. If another commit ran, drops the annotations, because its lines differ. */
function pageFor(commit: RunCommit, run: string, page: ContractPage): ContractPage {
  const other = otherCommitText(commit);
  if (other === undefined) return { ...page, parts: [runText(run, commit), ...page.parts] };
  const title = `${other}: ${page.title}`.slice(0, 250);
  return { conclusion: conclusionFor(commit, page.conclusion), title, parts: [sentenceOf(other), ...page.parts], annotations: [] };
}

function sentenceOf(other: string): string {
  return `${plainText(other)}. Check out the commit that should be checked.`;
}

/** A check's name, commit and links. `contract` is `STEP: CONTRACT`; empty for the pipeline's check. */
function headOf({ job, commit, plan }: CheckRunsRequest, run: string, contract: string): CheckHead {
  const { owner, repo, serverUrl, runId, runAttempt } = job.context;
  return {
    name: checkName(plan.pipeline.name, job.label, contract),
    headSha: commit.expected,
    externalId: `wave:${run}:${runAttempt}${contract === "" ? "" : ` / ${contract}`}`.slice(0, 250),
    detailsUrl: `${serverUrl}/${owner}/${repo}/actions/runs/${runId}/attempts/${runAttempt}`,
  };
}

function pipelineOutput(record: RunRecord, { plan, sources, commit, notes }: CheckRunsRequest): CheckOutput {
  const { title, graph, table, problems } = runPage(sources.shared.known(record), plan);
  const other = otherCommitText(commit);
  const about = other === undefined ? [] : [sentenceOf(other)];
  return {
    title: other === undefined ? title : `${other}: ${title}`.slice(0, 250),
    summary: withinLimit([...notes.map(noteText), ...about, runText(record.id, commit), table], limits.text),
    ...(graph.lines.length === 0 && problems.length === 0 ? {} : { text: withinLimit([graph, ...problems], limits.text) }),
  };
}

/**
 * The conclusion of a job's check, from the job's own steps: other steps may not have run yet, and "Re-run failed jobs" does
 * not repeat a job whose steps passed. A missing record is a failure.
 */
export function conclusionOf(record: RunRecord | undefined, steps: readonly string[] | undefined): CheckConclusion {
  if (record === undefined) return "failure";
  const own = record.steps.filter(({ id }) => steps === undefined || steps.includes(id));
  if (
    steps === undefined
      ? record.status === "passed"
      : own.every(({ status, optional }) => status === "passed" || (optional && status === "failed"))
  )
    return "success";
  return record.status === "cancelled" || own.some(({ status }) => status === "cancelled") ? "cancelled" : "failure";
}
