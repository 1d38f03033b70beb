/**
 * Encodes a run's results for a hidden part of a comment: compressed JSON in base64. Users who can edit the comment can change
 * it, so invalid data is ignored, and its texts are untrusted.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { WorkflowAttempt } from "../../core/comment-body.ts";
import type { KnownStep, ReportedStep, ReportedSteps } from "./known-run.ts";

/** Maximum length of the encoded state in characters, and of the decompressed state in bytes. */
const limits = { encoded: 12_000, unpacked: 2_000_000 } as const;

interface StoredState {
  readonly v: 1;
  readonly run: string;
  readonly steps: readonly StoredStep[];
}

type StoredStep = Omit<KnownStep, "dependencies"> & { readonly by: readonly [number, number]; readonly at: number };

/** Encodes a run's results. Shortens details, then drops them, then drops passed steps, until it fits. Deterministic. */
export function encodeKnown(run: string, steps: ReportedSteps): string {
  const reportedSteps = [...steps.values()].filter(({ at }) => at > 0);
  let shown: readonly ReportedStep[] = reportedSteps;
  for (const detail of [1500, 200, 0]) {
    const text = encode(run, shown, detail);
    if (text.length <= limits.encoded) return text;
  }
  shown = reportedSteps.filter(({ step }) => step.status !== "passed");
  for (;;) {
    const text = encode(run, shown, 0);
    if (text.length <= limits.encoded) return text;
    shown = shown.slice(0, Math.floor(shown.length / 2));
  }
}

/** Decodes the results of `run`. Empty if the data is invalid or belongs to another run. */
export function decodeKnown(run: string, encoded: string): ReportedSteps {
  try {
    const text = inflateRawSync(Buffer.from(encoded, "base64"), { maxOutputLength: limits.unpacked }).toString("utf8");
    const state: unknown = JSON.parse(text);
    if (!isMap(state) || state["v"] !== 1 || state["run"] !== run || !Array.isArray(state["steps"])) return new Map();
    return new Map(state["steps"].filter(isStoredStep).map((step) => [step.id, reported(step)]));
  } catch {
    // Not compressed, not JSON, or too large.
    return new Map();
  }
}

function encode(run: string, steps: readonly ReportedStep[], detail: number): string {
  const state: StoredState = { v: 1, run, steps: steps.map((step) => stored(step, detail)) };
  return deflateRawSync(JSON.stringify(state), { level: 9 }).toString("base64");
}

/** `detail`: maximum length of long texts. 0 keeps only what the verdict needs. */
function stored({ step, by, at }: ReportedStep, detail: number): StoredStep {
  const { dependencies: _order, problem, because, note, contracts, artifacts, usage, ...rest } = step;
  const short = detail || 100;
  return {
    ...rest,
    ...(because === undefined ? {} : { because: cut(because, short) }),
    ...(note === undefined || detail === 0 ? {} : { note: cut(note, detail) }),
    ...(problem === undefined
      ? {}
      : {
          problem: {
            title: cut(problem.title, short),
            detail: cut(problem.detail, detail),
            ...(problem.hint === undefined || detail === 0 ? {} : { hint: cut(problem.hint, detail) }),
          },
        }),
    ...(usage === undefined || detail === 0 ? {} : { usage }),
    contracts: detail === 0 ? [] : contracts.map(({ name, verdict }) => ({ name, verdict })),
    artifacts: detail === 0 ? [] : artifacts.map(({ name, size, note }) => ({ name, size, note })),
    by: [by.workflowRun, by.attempt],
    at,
  };
}

function reported({ by: [workflowRun, attempt], at, ...step }: StoredStep): ReportedStep {
  const by: WorkflowAttempt = { workflowRun, attempt };
  return { step: { ...step, dependencies: [] }, by, at };
}

/** Idempotent: a shortened text is not shortened again. */
function cut(text: string, limit: number): string {
  if (text.length <= limit || limit === 0) return text.slice(0, limit);
  return `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

const statuses: ReadonlySet<unknown> = new Set<KnownStep["status"]>(["pending", "running", "passed", "failed", "skipped", "cancelled"]);
const verdicts: ReadonlySet<unknown> = new Set(["pass", "fail", "error"]);

function isStoredStep(value: unknown): value is StoredStep {
  if (!isMap(value)) return false;
  const {
    id,
    persona,
    optional,
    status,
    reusedFrom,
    because,
    note,
    problem,
    durationMs,
    attempts,
    usage,
    unchecked,
    contracts,
    artifacts,
    by,
    at,
  } = value;
  return (
    [id, persona].every(isText) &&
    [reusedFrom, because, note, usage].every(isOptional(isText)) &&
    [optional, unchecked].every((flag) => typeof flag === "boolean") &&
    statuses.has(status) &&
    [attempts, at].every(isCount) &&
    isOptional(isCount)(durationMs) &&
    isOptional(isProblem)(problem) &&
    isListOf((one) => isText(one["name"]) && verdicts.has(one["verdict"]))(contracts) &&
    isListOf((one) => isText(one["name"]) && isCount(one["size"]) && isText(one["note"]))(artifacts) &&
    Array.isArray(by) &&
    by.length === 2 &&
    by.every(isCount)
  );
}

function isProblem(value: unknown): boolean {
  return isMap(value) && isText(value["title"]) && isText(value["detail"]) && isOptional(isText)(value["hint"]);
}

function isListOf(test: (member: Readonly<Record<string, unknown>>) => boolean): (value: unknown) => boolean {
  return (value) => Array.isArray(value) && value.every((member) => isMap(member) && test(member));
}

function isOptional(test: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => value === undefined || test(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
