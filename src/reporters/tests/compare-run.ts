/** Compares a run with what a test expects. */

import { isDeepStrictEqual } from "node:util";
import { defined } from "../../core/defined.ts";
import type { EvaluationProblem, Evaluator } from "../../core/evaluation.ts";
import { describeExceeded } from "../../core/exceeded-limit.ts";
import type { JsonValue } from "../../core/json.ts";
import type { ExpectedArtifact, ExpectedStep, Mismatch, ObservedRun, ObservedStep, PipelineTest } from "../../core/pipeline-test.ts";

/** Returns the full text of an artifact. Undefined if the step has none of that name, or if it is not text. */
export type ArtifactText = (step: string, artifact: string) => string | undefined;

/** `evaluator` runs the JSONPath queries of a test; `signal` cancels them. */
export interface CompareOptions {
  readonly evaluator: Evaluator;
  readonly signal: AbortSignal;
}

/** All mismatches, in the order of the test. */
export async function compareRun(
  test: PipelineTest,
  run: ObservedRun,
  textOf: ArtifactText,
  options: CompareOptions,
): Promise<readonly Mismatch[]> {
  const found: Mismatch[] = [];
  if (run.status !== test.status.value)
    found.push({
      message: `the run ended as ${run.status}, not as ${test.status.value}`,
      origin: test.status.origin,
      expected: test.status.value,
      actual: run.status,
    });
  for (const step of test.steps) {
    const observed = run.steps[step.id];
    if (observed !== undefined) found.push(...(await compareStep(step, observed, textOf, options)));
  }
  return found;
}

async function compareStep(step: ExpectedStep, observed: ObservedStep, textOf: ArtifactText, options: CompareOptions): Promise<Mismatch[]> {
  const { id, status, attempts, failure, verdicts, artifacts, changes } = step;
  const last = observed.attempts.at(-1);
  const paths = Object.keys(observed.changes).sort();
  const ofArtifacts: Mismatch[] = [];
  for (const artifact of artifacts) ofArtifacts.push(...(await compareArtifact(id, artifact, textOf(id, artifact.artifact), options)));
  return [
    ...(status === undefined ? [] : differ(`step \`${id}\` ended with another status`, status, observed.status)),
    ...(attempts === undefined ? [] : differ(`step \`${id}\` made another number of attempts`, attempts, observed.attempts.length)),
    ...(failure === undefined ? [] : differ(`step \`${id}\` failed for another reason`, failure, observed.failure)),
    ...verdicts.flatMap((verdict) =>
      differ(`contract \`${verdict.contract}\` of step \`${id}\` has another verdict`, verdict, last?.verdicts[verdict.contract]),
    ),
    ...ofArtifacts,
    ...(changes === undefined
      ? []
      : differ(`step \`${id}\` changed other files`, { value: [...changes.value].sort(), origin: changes.origin }, paths)),
  ];
}

function differ(
  message: string,
  { value, origin }: { readonly value: JsonValue; readonly origin: Mismatch["origin"] },
  actual: JsonValue | undefined,
): Mismatch[] {
  if (isDeepStrictEqual(value, actual)) return [];
  return [{ message, origin, expected: value, ...defined({ actual }) }];
}

async function compareArtifact(
  step: string,
  expected: ExpectedArtifact,
  text: string | undefined,
  { evaluator, signal }: CompareOptions,
): Promise<Mismatch[]> {
  const name = `artifact \`${expected.artifact}\` of step \`${step}\``;
  const { origin } = expected;
  if (text === undefined) return [{ message: `${name} is missing`, origin }];
  if ("text" in expected)
    return text.includes(expected.text)
      ? []
      : [{ message: `${name} does not contain the text`, origin, expected: expected.text, actual: shortened(text) }];
  const { path, value } = expected;
  const answer = await evaluator.evaluate("compare-json-path", { text, path, expected: value }, { signal });
  if (!answer.ok) return [{ message: `${name} cannot be queried with \`${path}\`: ${problemText(answer.error)}`, origin }];
  switch (answer.value.kind) {
    case "equal":
      return [];
    case "not-json":
      return [{ message: `${name} is not JSON`, origin, actual: shortened(text) }];
    case "different": {
      const { actual } = answer.value;
      return [{ message: `${name} has another value at \`${path}\``, origin, expected: value, ...defined({ actual }) }];
    }
  }
}

function problemText(problem: EvaluationProblem): string {
  switch (problem.kind) {
    case "exceeded":
      return describeExceeded(problem.limit);
    case "cancelled":
      return "it was cancelled";
    case "broken":
      return problem.detail;
  }
}

/** Differences from a snapshot, at most `limit`: dotted paths with both values. */
export function compareSnapshot(before: JsonValue, now: JsonValue, origin: Mismatch["origin"], limit = 20): readonly Mismatch[] {
  const found: Mismatch[] = [];
  const open: { path: string; a: JsonValue | undefined; b: JsonValue | undefined }[] = [{ path: "", a: before, b: now }];
  for (let at = open.pop(); at !== undefined && found.length < limit; at = open.pop()) {
    const { path, a, b } = at;
    if (isDeepStrictEqual(a, b)) continue;
    const keys =
      isNested(a) && isNested(b) && Array.isArray(a) === Array.isArray(b) ? [...new Set([...Object.keys(a), ...Object.keys(b)])] : [];
    if (keys.length === 0) {
      const both = { ...defined({ expected: a, actual: b }) };
      found.push({ message: `\`${path}\` differs from the snapshot`, origin, ...both });
    }
    const member = (value: JsonValue | undefined, key: string) => (isNested(value) ? (value as Record<string, JsonValue>)[key] : undefined);
    for (const key of keys.reverse()) open.push({ path: path === "" ? key : `${path}.${key}`, a: member(a, key), b: member(b, key) });
  }
  return found;
}

function isNested(value: JsonValue | undefined): value is JsonValue & object {
  return typeof value === "object" && value !== null;
}

function shortened(text: string): string {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

/** The text of a snapshot file. */
export function snapshotText(run: ObservedRun): string {
  return `${JSON.stringify({ v: 1, ...run }, undefined, 2)}\n`;
}

/** Parses a snapshot. Undefined if the text is not a snapshot of this version. */
export function parseSnapshot(text: string): ObservedRun | undefined {
  const value = parse(text);
  if (!isNested(value) || Array.isArray(value) || (value as { v?: JsonValue }).v !== 1) return undefined;
  const { v: _, ...run } = value as unknown as ObservedRun & { v: number };
  return run;
}
