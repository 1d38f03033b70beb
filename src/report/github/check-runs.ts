/**
 * Check runs: one for the pipeline, in progress while it runs, and one a contract. Whatever happens, what was begun is completed, by `close` or, for
 * a job that was cut off, by whoever reads the ids that were noted. https://docs.github.com/en/rest/checks/runs
 */
import type { WaveEvent } from "../../model/event.ts";
import type { Failure } from "../../model/failure.ts";
import type { CheckConclusion, CheckOutput, GitHub } from "../../model/github.ts";
import { plainText, withinLimit } from "../../model/markdown.ts";
import type { Plan } from "../../model/plan.ts";
import type { Clock, Reporter } from "../../model/ports.ts";
import { conclusionFor, otherCommitText, type RunCommit } from "../../model/run-commit.ts";
import type { RunRecord, StepRecord } from "../../model/state.ts";
import type { WorkflowContext } from "../../model/workflow-context.ts";
import { type ContractPage, contractPage, type PagePlaces } from "./contract-page.ts";
import { runPage, runText } from "./run-page.ts";

export interface CheckRunsRequest {
  readonly github: GitHub;
  readonly context: WorkflowContext;
  /** Checks are written for `expected`; only a run of that commit gives them a verdict. */
  readonly commit: RunCommit;
  readonly plan: Plan;
  /** What is known of the run now; nothing where it cannot be read. */
  readonly record: (run: string) => Promise<RunRecord | undefined>;
  /** One for the pipeline alone, or one for each contract besides. */
  readonly which: "pipeline" | "contract";
  /** Tells the checks of one job from those of another: the job's id, and its matrix key. */
  readonly label: string;
  /** The steps of a job that executes a part; absent: all. */
  readonly steps?: readonly string[];
  readonly places: PagePlaces;
  readonly clock: Clock;
  /** Told of checks that are in progress, and again when there are none. */
  readonly noteOpen: (ids: readonly number[]) => void;
  readonly warn: (failure: Failure) => void;
}

export interface CheckRuns extends Reporter {
  /** GitHub does not let this job write checks: nothing was written, or not all. */
  refused(): boolean;
}

/** Of one text, in characters; and of one call. */
const limits = { text: 65_000, annotations: 50 } as const;
/** At least so long between two updates of a check that is in progress, in milliseconds: a token may write 80 times a minute. */
const restMs = 10_000;

export function openCheckRuns(request: CheckRunsRequest): CheckRuns {
  const state = { run: "", refused: false };
  const here = new Set<string>();
  let last: Promise<void> = Promise.resolve();
  let closed: Promise<void> | undefined;
  const inTurn = (work: () => Promise<void>) => {
    last = last.then(work);
  };
  const failed = (failure: Failure) => {
    if (!state.refused) request.warn(failure);
    state.refused ||= failure.reason === "github-failed" && (failure.status === 403 || failure.status === 404);
  };
  const pipeline = pipelineCheck(request, state, failed);
  const contracts = contractChecks(request, state, failed);
  const mine = ({ id }: StepRecord) => request.steps === undefined || request.steps.includes(id);
  return {
    name: "check runs",
    refused: () => state.refused,
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
    // A step that passed in an earlier attempt has its checks already.
    inTurn(() => contracts((step) => mine(step) && (here.has(step.id) || step.status !== "passed")));
    inTurn(() => pipeline.update(true));
    await last;
  }
}

/** What the checks of one run share. */
interface ChecksState {
  readonly run: string;
  readonly refused: boolean;
}

function pipelineCheck(request: CheckRunsRequest, state: ChecksState, failed: (failure: Failure) => void) {
  const { github, clock } = request;
  let id: number | undefined;
  let updatedAt = 0;
  return {
    async begin() {
      const output = { title: "in progress", summary: "The run has begun." };
      const created = await github.createCheck({ ...headOf(request, state.run, ""), output });
      if (!created.ok) return failed(created.error);
      id = created.value.id;
      request.noteOpen([id]);
    },
    async update(final: boolean) {
      if (id === undefined || state.refused || (!final && clock.monotonic() - updatedAt < restMs)) return;
      updatedAt = clock.monotonic();
      const record = await request.record(state.run);
      const conclusion = final ? { conclusion: conclusionFor(request.commit, conclusionOf(record, request.steps)) } : {};
      const unknown = { title: "not known", summary: "What happened cannot be read any more." };
      const output = record === undefined ? unknown : pipelineOutput(record, request);
      const updated = await github.updateCheck(id, { ...conclusion, output });
      if (!updated.ok) failed(updated.error);
      else if (final) request.noteOpen([]);
    },
  };
}

/** Gives what writes the checks of steps' contracts, each step's once. */
function contractChecks(request: CheckRunsRequest, state: ChecksState, failed: (failure: Failure) => void) {
  const reported = new Set<string>();
  return async (which: (step: StepRecord) => boolean): Promise<void> => {
    const record = state.refused || request.which === "pipeline" ? undefined : await request.record(state.run);
    for (const { step: planned } of record === undefined ? [] : request.plan.steps) {
      const step = record?.steps.find(({ id }) => id === planned.id);
      if (step === undefined || !which(step) || reported.has(step.id) || state.refused) continue;
      reported.add(step.id);
      for (const contract of planned.contracts) {
        const page = pageFor(request.commit, contractPage(step, contract, request.places));
        await writeContract(request.github, headOf(request, state.run, ` / ${step.id}: ${contract.name}`), page, failed);
      }
    }
  };
}

/** The page of a contract that was evaluated on another commit: its lines are not those of the check's commit. */
function pageFor(commit: RunCommit, page: ContractPage): ContractPage {
  const other = otherCommitText(commit);
  if (other === undefined) return page;
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
) {
  const { owner, repo, serverUrl, runId, runAttempt } = context;
  return {
    name: `wave / ${plan.pipeline.name}${what} (${label})`.slice(0, 250),
    headSha: commit.expected,
    externalId: `wave:${run}:${runAttempt}${what}`.slice(0, 250),
    detailsUrl: `${serverUrl}/${owner}/${repo}/actions/runs/${runId}/attempts/${runAttempt}`,
  };
}

function pipelineOutput(record: RunRecord, { plan, steps, commit }: CheckRunsRequest): CheckOutput {
  const { title, graph, table, problems } = runPage(record, plan, steps);
  const other = otherCommitText(commit);
  const about = other === undefined ? [] : [sentenceOf(other)];
  return {
    title: other === undefined ? title : `${other}: ${title}`.slice(0, 250),
    summary: withinLimit([...about, runText(record.id, commit), table], limits.text),
    ...(graph === "" && problems.length === 0 ? {} : { text: withinLimit([graph, ...problems], limits.text) }),
  };
}

/** A job's check is about its own steps: the others may still be to come. */
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

/** Created complete, with the first annotations; the others follow. Where some cannot be written, the verdict is there all the same. */
async function writeContract(
  github: GitHub,
  head: ReturnType<typeof headOf>,
  { conclusion, title, parts, annotations }: ContractPage,
  failed: (failure: Failure) => void,
): Promise<void> {
  const output = { title, summary: withinLimit(parts, limits.text) };
  const first = annotations.slice(0, limits.annotations);
  const with50 = await github.createCheck({ ...head, conclusion, output: { ...output, annotations: first } });
  const unreadable = !with50.ok && with50.error.reason === "github-failed" && with50.error.status === 422 && first.length > 0;
  const created = unreadable ? await github.createCheck({ ...head, conclusion, output }) : with50;
  if (unreadable) failed(with50.error);
  if (!created.ok) return failed(created.error);
  for (let from = limits.annotations; from < annotations.length && !unreadable; from += limits.annotations) {
    const more = await github.updateCheck(created.value.id, {
      output: { ...output, annotations: annotations.slice(from, from + limits.annotations) },
    });
    if (!more.ok) return failed(more.error);
  }
}
