/**
 * Checks the folded record of a run from another job. A valid record has only members and values that Wave itself
 * writes; whether it is true is not checked.
 */
import type { AlertRecord } from "../core/alert.ts";
import { failureProblem, isName, shapeProblem, valueProblem } from "../manifest/validate/check-event.ts";
import type { Shape } from "../manifest/validate/check-shape.ts";
import { contractResultShape, shapeOf } from "../manifest/validate/failure-shapes.ts";
import { eventShapes } from "../manifest/validate/generated/event-shapes.js";
import type { AttemptFold, ResetFold, ReusedFold, RevokedFold, RunFold, SampleFold, StepFold, WriterFold } from "../store/run-fold.ts";

const text: Shape = { type: "string" };
const time: Shape = { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$" };
const digest: Shape = { type: "string", pattern: "^sha256:[0-9a-f]{64}$" };
const duration: Shape = { type: "number", minimum: 0 };
const ordinal: Shape = { type: "integer", minimum: 1 };
const flag: Shape = { type: "boolean" };
const yes: Shape = { const: true };
/** Its members depend on its reason and are checked separately. */
const failure: Shape = { type: "object" };
const list = (items: Shape): Shape => ({ type: "array", items });
const oneOf = (...choices: readonly string[]): Shape => ({ enum: choices });

const started = eventShapes["run-started"].properties ?? {};
const attemptStarted = eventShapes["attempt-started"].properties ?? {};
const attemptPassed = eventShapes["attempt-passed"].properties ?? {};
const { options = {}, base = {} } = started;
const { fingerprint = {}, inputs = {} } = attemptStarted;
const { artifacts = {}, changes = {}, usage = {} } = attemptPassed;

const attempt = shapeOf<AttemptFold>(
  {
    attempt: ordinal,
    writer: text,
    status: oneOf("running", "passed", "failed", "cancelled"),
    adapter: text,
    startedAt: time,
    fingerprint,
    inputs,
    workspace: oneOf("isolated", "shared"),
    artifacts,
    contracts: list(contractResultShape),
  },
  {
    model: text,
    finishedAt: time,
    durationMs: duration,
    usage,
    waitMs: duration,
    changes,
    failure,
    log: digest,
    rolledBack: yes,
  },
);

const step = shapeOf<StepFold>(
  {
    id: text,
    persona: text,
    dependencies: list(text),
    optional: flag,
    status: oneOf("pending", "running", "passed", "failed", "skipped", "cancelled"),
    attempts: list(attempt),
  },
  {
    reused: shapeOf<ReusedFold>(
      { from: shapeOf<ReusedFold["from"]>({ run: text, attempt: ordinal }), fingerprint, artifacts },
      { changes },
    ),
    failure,
    because: text,
    writer: text,
    winner: { type: "integer", minimum: 0 },
  },
);

const alert = shapeOf<AlertRecord>(
  {
    alert: text,
    reason: oneOf("contract-failed", "step-timeout", "circuit-open", "run-failed", "run-recovered"),
    subject: text,
    outcome: oneOf("sent", "failed"),
    at: time,
  },
  { because: text },
);

const run = shapeOf<RunFold>(
  {
    id: { type: "string", pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$" },
    pipeline: text,
    startedAt: time,
    manifest: digest,
    options,
    base,
    applied: flag,
    writers: list(
      shapeOf<WriterFold>({
        writer: text,
        pid: { type: "integer" },
        processStart: text,
        host: text,
        closed: flag,
        spentMs: duration,
      }),
    ),
    steps: list(step),
    samples: list(shapeOf<SampleFold>({ breaker: text, failed: flag, at: time, clock: ordinal })),
    resets: list(shapeOf<ResetFold>({ breaker: text, at: time, clock: ordinal })),
    revoked: list(shapeOf<RevokedFold>({ step: text, run: text, attempt: ordinal })),
  },
  {
    version: text,
    outcome: oneOf("pending", "passed", "failed", "cancelled"),
    finishedAt: time,
    treeAfter: digest,
    changes,
    inProject: changes,
    openRollback: shapeOf<Pick<NonNullable<RunFold["openRollback"]>, "to">>({}, { to: text }),
    failure,
    alerts: list(alert),
  },
);

/** Returns the first problem of a folded record, as a clause; undefined if there is none. */
export function foldProblem(value: unknown): string | undefined {
  // The shape is checked first: only a record of known shape has a known depth.
  return shapeProblem(run, value) ?? contentProblem(value as RunFold) ?? valueProblem(value);
}

function contentProblem(fold: RunFold): string | undefined {
  const attempts = fold.steps.flatMap((one) => one.attempts);
  for (const { failure: found } of [fold, ...fold.steps, ...attempts]) {
    const problem = found === undefined ? undefined : failureProblem(found);
    if (problem !== undefined) return `one of its failures is not valid: ${problem}`;
  }
  const times = [fold, ...attempts].flatMap(({ startedAt, finishedAt = startedAt }) => [startedAt, finishedAt]);
  const points = [...fold.samples, ...fold.resets, ...(fold.alerts ?? [])].map(({ at }) => at);
  if ([...times, ...points].some((at) => Number.isNaN(Date.parse(at)))) return "one of its times is not a date";
  if (fold.steps.some(({ winner, attempts: own }) => winner !== undefined && own[winner] === undefined))
    return "it refers to an attempt that it does not contain";
  const names = [...fold.steps.map(({ id }) => id), ...artifactsIn(fold), ...attempts.flatMap((one) => one.inputs.map(({ name }) => name))];
  const to = fold.openRollback?.to;
  return [...names, ...(to === undefined ? [] : [to])].every(isName)
    ? undefined
    : "one of its names is not valid for a step or an artifact";
}

function artifactsIn({ steps }: RunFold): readonly string[] {
  const owners = steps.flatMap(({ reused, attempts }) => [...(reused === undefined ? [] : [reused]), ...attempts]);
  return owners.flatMap(({ artifacts: own }) => own.map(({ name }) => name));
}
