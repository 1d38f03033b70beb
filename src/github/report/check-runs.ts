/**
 * Check runs: one for the pipeline, in progress while it runs, and one for each contract. A check that was begun is completed: by `close`, by `post` from
 * what was noted, or, if the machine was lost, by the next attempt. https://docs.github.com/en/rest/checks/runs
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
import { type ContractPage, contractPage, type PagePlaces, type ReusedRun } from "./contract-page.ts";
import type { KnownRun } from "./known-run.ts";
import { noteText, runPage, runText } from "./run-page.ts";
import { writeCheck } from "./write-check.ts";

export interface CheckRunsRequest {
  readonly github: GitHub;
  readonly context: WorkflowContext;
  /** Checks are written for `expected`; only a run of that commit gives them a verdict. */
  readonly commit: RunCommit;
  /** Warnings above each verdict, as sentences without a stop. */
  readonly notes: readonly string[];
  readonly plan: Plan;
  /** What is known of the run now; nothing where it cannot be read. */
  readonly record: (run: string) => Promise<RunRecord | undefined>;
  /** The same run as all jobs know it. `gather` reads what the others reported, once. */
  readonly shared: { gather(run: string): Promise<void>; known(record: RunRecord): KnownRun };
  /** One for the pipeline alone, or one for each contract besides. */
  readonly which: "pipeline" | "contract";
  /** Tells the checks of one job from those of another: the job's id, and its matrix key. */
  readonly label: string;
  /** The steps of a job that executes a part; absent: all. */
  readonly steps?: readonly string[];
  readonly places: PagePlaces;
  readonly clock: Clock;
  /** Called with the checks that are to be completed, after every change. */
  readonly noteOpen: (checks: readonly OpenCheck[]) => void;
  readonly warn: (failure: Failure) => void;
}

/** A check that is not completed yet. All of it can be written as JSON. */
export interface OpenCheck {
  /** Undefined if it could not be created yet. */
  readonly id?: number;
  readonly head: CheckHead;
  /** Undefined while the run has no verdict. */
  readonly verdict?: { readonly conclusion: CheckConclusion; readonly output: CheckOutput };
}

type CheckHead = Pick<NewCheck, "name" | "headSha" | "externalId" | "detailsUrl">;

export interface CheckRuns extends Reporter {
  /** Not everything could be written. */
  isIncomplete(): boolean;
  /** Annotations that are missing from checks which were written. */
  dropped(): readonly CheckAnnotation[];
}

/** Of one text, in characters. */
const limits = { text: 65_000 } as const;
/** At least so long between two updates of a check that is in progress, in milliseconds: a token may write 80 times a minute. */
const restMs = 10_000;

export function openCheckRuns(request: CheckRunsRequest): CheckRuns {
  const state = { run: "", isRefused: false, isIncomplete: false, dropped: [] as CheckAnnotation[] };
  const here = new Set<string>();
  let last: Promise<void> = Promise.resolve();
  let closed: Promise<void> | undefined;
  let missing = 0;
  const inTurn = (work: () => Promise<void>) => {
    last = last.then(work);
  };
  const failed = (failure: Failure) => {
    if (!state.isIncomplete) request.warn(failure);
    state.isIncomplete = true;
    if (failure.reason !== "github-failed" || failure.limited === true) return;
    // GitHub answers 404 to a token without access, and now and then by mistake.
    if (failure.status === 404) missing += 1;
    state.isRefused ||= failure.status === 403 || missing > 1;
  };
  const pipeline = pipelineCheck(request, state, failed);
  const contracts = contractChecks(request, state, failed);
  const mine = ({ id }: StepRecord) => request.steps === undefined || request.steps.includes(id);
  return {
    name: "check runs",
    isIncomplete: () => state.isIncomplete,
    dropped: () => state.dropped,
    onEvent(event: WaveEvent) {
      if (state.run === "") {
        state.run = event.run;
        inTurn(pipeline.begin);
      }
      if (event.type === "attempt-started" || event.type === "step-reused" || event.type === "step-finished") here.add(event.step);
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
    await pipeline.noteVerdict();
    // A step that passed in an earlier attempt has its checks already.
    inTurn(() => contracts((step) => mine(step) && (here.has(step.id) || step.status !== "passed")));
    inTurn(() => pipeline.update(true));
    await last;
  }
}

/** What the checks of one run share. */
interface ChecksState {
  readonly run: string;
  /** This job may not write checks. */
  readonly isRefused: boolean;
  readonly dropped: CheckAnnotation[];
}

function pipelineCheck(request: CheckRunsRequest, state: ChecksState, failed: (failure: Failure) => void) {
  const { github, clock, noteOpen } = request;
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
  const verdictOf = (record: RunRecord | undefined) => conclusionFor(request.commit, conclusionOf(record, request.steps));
  return {
    async begin() {
      await completeLost(github, request.context, open().head);
      const written = await write({ title: "in progress", summary: "The run has begun." });
      if (written.ok) noteOpen([open()]);
      else failed(written.error);
    },
    /** Leaves the verdict for `post`, in case that this job ends before GitHub takes it. */
    async noteVerdict() {
      if (state.isRefused && id === undefined) return;
      const record = await request.record(state.run);
      const title = record === undefined ? unknown.title : pipelineOutput(record, request).title;
      const output = { title, summary: "The run has ended. Its report is in the job summary." };
      noteOpen([{ ...open(), verdict: { conclusion: verdictOf(record), output } }]);
    },
    async update(isFinal: boolean) {
      if (state.isRefused && (!isFinal || id === undefined)) return;
      if (!isFinal && clock.monotonic() - updatedAt < restMs) return;
      updatedAt = clock.monotonic();
      if (isFinal) await request.shared.gather(state.run);
      const record = await request.record(state.run);
      const output = record === undefined ? unknown : pipelineOutput(record, request);
      const written = await write(output, isFinal ? verdictOf(record) : undefined);
      if (!written.ok) failed(written.error);
      else noteOpen(isFinal ? [] : [open()]);
    },
  };
}

const unknown = { title: "not known", summary: "What happened cannot be read any more." };

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

/** Returns what writes the checks of steps' contracts, each once. */
function contractChecks(request: CheckRunsRequest, state: ChecksState, failed: (failure: Failure) => void) {
  const written = new Set<string>();
  return async (which: (step: StepRecord) => boolean): Promise<void> => {
    const record = state.isRefused || request.which === "pipeline" ? undefined : await request.record(state.run);
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
async function reusedBy({ record, context }: CheckRunsRequest, { reusedFrom }: StepRecord): Promise<ReusedRun | undefined> {
  if (reusedFrom === undefined) return undefined;
  const found = await record(reusedFrom.run);
  const workflow = found === undefined ? undefined : workflowOf(found.writer.host);
  const { owner, repo, serverUrl } = context;
  return {
    ...defined({ record: found }),
    ...(workflow === undefined ? {} : { url: `${serverUrl}/${owner}/${repo}/actions/runs/${workflow.run}/attempts/${workflow.attempt}` }),
  };
}

/** The page with the run and the commit. If the contract was evaluated on another commit, its lines are not those of the check's commit. */
function pageFor(commit: RunCommit, run: string, page: ContractPage): ContractPage {
  const other = otherCommitText(commit);
  if (other === undefined) return { ...page, parts: [runText(run, commit), ...page.parts] };
  const title = `${other}: ${page.title}`.slice(0, 250);
  return { conclusion: conclusionFor(commit, page.conclusion), title, parts: [sentenceOf(other), ...page.parts], annotations: [] };
}

function sentenceOf(other: string): string {
  return `${plainText(other)}. Check out the commit that is to be checked.`;
}

/** A check's name, commit and links. The name says the job: GitHub may show a check under another workflow. */
function headOf(
  { context, commit, plan, label }: Pick<CheckRunsRequest, "context" | "commit" | "plan" | "label">,
  run: string,
  what: string,
): CheckHead {
  const { owner, repo, serverUrl, runId, runAttempt } = context;
  return {
    name: checkName(plan.pipeline.name, label, what),
    headSha: commit.expected,
    externalId: `wave:${run}:${runAttempt}${what === "" ? "" : ` / ${what}`}`.slice(0, 250),
    detailsUrl: `${serverUrl}/${owner}/${repo}/actions/runs/${runId}/attempts/${runAttempt}`,
  };
}

function pipelineOutput(record: RunRecord, { plan, shared, commit, notes }: CheckRunsRequest): CheckOutput {
  const { title, graph, table, problems } = runPage(shared.known(record), plan);
  const other = otherCommitText(commit);
  const about = other === undefined ? [] : [sentenceOf(other)];
  return {
    title: other === undefined ? title : `${other}: ${title}`.slice(0, 250),
    summary: withinLimit([...notes.map(noteText), ...about, runText(record.id, commit), table], limits.text),
    ...(graph.lines.length === 0 && problems.length === 0 ? {} : { text: withinLimit([graph, ...problems], limits.text) }),
  };
}

/**
 * A job's check shows the whole run and concludes on the job's own steps: the others may still be to come, and "Re-run failed jobs" does not run a job
 * again whose steps passed.
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
