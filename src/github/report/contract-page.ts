/** Renders a contract's verdict as a check run: conclusion, violations and annotations. Pure. */
import { decidingAttempt } from "../../core/deciding-attempt.ts";
import { describeContract } from "../../core/describe-contract.ts";
import type { ContractResult, Violation } from "../../core/failure.ts";
import type { CheckAnnotation, CheckConclusion } from "../../core/github.ts";
import type { ContractDefinition } from "../../core/pipeline.ts";
import type { RunRecord, StepRecord } from "../../core/state.ts";
import { codeBlock, inlineCode, type Part, plainText, withoutMarks } from "../../text/markdown.ts";
import { printable } from "../../text/printable.ts";

export interface ContractPage {
  readonly conclusion: CheckConclusion;
  readonly title: string;
  readonly parts: readonly (string | Part)[];
  readonly annotations: readonly CheckAnnotation[];
}

/** How paths of the project map to the repository. `prefix` is empty or ends in `/`. */
export interface PagePlaces {
  readonly prefix: string;
  /** Whether a path of the project is a file in the repository. Other files cannot be annotated. */
  readonly isFile: (path: string) => boolean;
}

/** The run whose result a step reuses. */
export interface SourceRun {
  /** Undefined if the state does not contain the run. */
  readonly record?: RunRecord;
  /** URL of the workflow run that produced it. Undefined if it ran elsewhere. */
  readonly url?: string;
}

/** `steps` (the run's) and `reused` are needed only for steps without an attempt. */
export function contractPage(
  step: StepRecord,
  contract: ContractDefinition,
  places: PagePlaces,
  steps: readonly StepRecord[] = [],
  reused: SourceRun = {},
): ContractPage {
  const attempt = decidingAttempt(step);
  const result = attempt?.contracts.find(({ name }) => name === contract.name);
  if (result === undefined) return step.reusedFrom === undefined ? unevaluated(step, steps) : recorded(step, contract, places, reused);
  return evaluated(step, contract, places, result);
}

/** The verdict recorded by the reused run. The step passed there, so an unrecorded contract passed, unless it only warns. */
function recorded(step: StepRecord, contract: ContractDefinition, places: PagePlaces, { record, url }: SourceRun): ContractPage {
  const { run = "", attempt = 0 } = step.reusedFrom ?? {};
  const source = record?.steps.find(({ id }) => id === step.id);
  const made = source?.attempts.find((one) => one.attempt === attempt);
  const result = made?.contracts.find(({ name }) => name === contract.name);
  const link = url === undefined ? `run ${inlineCode(run)}` : `[run ${inlineCode(run)}](${url})`;
  const about = `The step's result is reused, so its contracts are not evaluated again. This is the verdict of ${link}, attempt ${attempt}.`;
  if (source === undefined || result === undefined) {
    const warns = contract.onFailure === "warn";
    const title = `${warns ? "not known" : "passed"}: the result of run ${run} is reused`;
    return { conclusion: warns ? "neutral" : "success", title, parts: [about], annotations: [] };
  }
  const page = evaluated(source, contract, places, result);
  return { ...page, title: `${page.title} in run ${run}, reused`.slice(0, 250), parts: [about, ...page.parts] };
}

function unevaluated(step: StepRecord, steps: readonly StepRecord[]): ContractPage {
  const conclusion = step.status === "cancelled" ? "cancelled" : "skipped";
  const cause = causeOf(step, steps);
  const why = step.status === "pending" ? "the step was not executed" : `the step was ${step.status}`;
  const title = cause === undefined ? why : `step ${cause.id} ${cause.status === "failed" ? "failed" : "was cancelled"}`;
  const detail =
    cause === undefined
      ? plainText(step.because === undefined ? "The step left no output that could be checked." : `The step was skipped: ${step.because}.`)
      : `Step ${inlineCode(step.id)} depends on ${inlineCode(cause.id)}, which ${cause.status === "failed" ? "failed" : "was cancelled"}.`;
  return { conclusion, title: printable(`not evaluated: ${title}`).slice(0, 250), parts: [detail], annotations: [] };
}

/** The nearest step upstream that failed or was cancelled. */
function causeOf({ id, status, dependencies }: StepRecord, steps: readonly StepRecord[]): StepRecord | undefined {
  if (status !== "skipped") return undefined;
  const seen = new Set([id]);
  const open = [...dependencies];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const step = seen.has(next) ? undefined : steps.find((one) => one.id === next);
    seen.add(next);
    if (step?.status === "failed" || step?.status === "cancelled") return step;
    open.push(...(step?.dependencies ?? []));
  }
  return undefined;
}

function evaluated(step: StepRecord, contract: ContractDefinition, places: PagePlaces, result: ContractResult): ContractPage {
  const attempt = step.attempts.find(({ contracts }) => contracts.includes(result));
  const { title, detail } = describeContract(result);
  const earlier = step.attempts.filter(
    (one) => one !== attempt && one.contracts.some(({ name, verdict }) => name === contract.name && verdict !== "pass"),
  );
  const retried =
    earlier.length === 0
      ? ""
      : `It did not pass at attempt ${earlier.map((one) => one.attempt).join(", ")}; the step was retried with the violations.`;
  const violations: Part = {
    lines: result.violations.map((violation) => `- ${violationText(violation)}`),
    rest: (count) => `… and ${count} more.`,
  };
  return {
    conclusion: conclusionOf(result),
    title: printable(title).slice(0, 250),
    parts: [
      `Contract ${inlineCode(contract.name)} (${plainText(contract.type)}) of step ${inlineCode(step.id)}, attempt ${attempt?.attempt ?? 1}.`,
      retried,
      violations,
      result.tail === undefined || detail.length === 0 ? "" : codeBlock(result.tail),
    ],
    annotations: result.verdict === "pass" ? [] : result.violations.map((violation) => annotationOf(violation, result, contract, places)),
  };
}

function conclusionOf({ verdict, onFailure }: ContractResult): CheckConclusion {
  if (verdict === "pass") return "success";
  return onFailure === "warn" ? "neutral" : "failure";
}

function violationText({ message, pointer, location, rule }: Violation): string {
  const where = location === undefined ? "" : ` ${inlineCode(`${location.file}:${location.line}:${location.column}`)}`;
  return `${plainText(message)}${where}${pointer === undefined || pointer === "" ? "" : ` at ${inlineCode(pointer)}`}${rule === undefined ? "" : ` (${plainText(rule)})`}`;
}

/** Annotates the line that a violation names or, if the repository does not contain it, the contract's line in the manifest. */
function annotationOf(
  { message, location, pointer, rule }: Violation,
  { name, onFailure }: ContractResult,
  { origin }: ContractDefinition,
  { prefix, isFile }: PagePlaces,
): CheckAnnotation {
  const level = levelOf(rule, onFailure);
  const about = { level, title: printable(name).slice(0, 200) } as const;
  if (location !== undefined && isFile(location.file) && isInRange(location.line)) {
    const { line, column } = location;
    return {
      ...about,
      path: `${prefix}${location.file}`,
      startLine: line,
      endLine: line,
      ...(isInRange(column) ? { startColumn: column, endColumn: column } : {}),
      message: fit(message),
    };
  }
  const where = location === undefined ? "" : `${location.file}:${location.line}:${location.column}: `;
  const { start } = origin.range;
  const text = fit(`${where}${message}${pointer === undefined || pointer === "" ? "" : ` (at ${pointer})`}`);
  return { ...about, path: `${prefix}${origin.file}`, startLine: start.line, endLine: start.line, message: text };
}

/** Compilers print warnings and notes too, which are not failures. */
function levelOf(rule: string | undefined, onFailure: ContractResult["onFailure"]): CheckAnnotation["level"] {
  if (rule === "note") return "notice";
  return rule === "warning" || onFailure === "warn" ? "warning" : "failure";
}

/** GitHub's lines and columns are 32-bit integers, starting at 1. */
function isInRange(position: number): boolean {
  return Number.isSafeInteger(position) && position >= 1 && position < 2 ** 31;
}

/** GitHub rejects an empty message and one above 64 KB. 4,000 characters are at most 16 KB. */
function fit(message: string): string {
  const text = withoutMarks(printable(message));
  if (text.trim() === "") return "the contract failed here";
  return text.length <= 4000 ? text : `${text.slice(0, 4000).replace(/[\ud800-\udbff]$/, "")}…`;
}
