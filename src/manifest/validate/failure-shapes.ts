/** The shape of each kind of failure, to check failures in journals. A missing reason or member does not compile. Members that are not listed are refused. */
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Origin } from "../../core/document.ts";
import type { ExceededLimit } from "../../core/exceeded-limit.ts";
import type { ContractResult, Denial, Failure, FailureReason, MergeConflict, Violation } from "../../core/failure.ts";
import type { Shape } from "./check-shape.ts";

const text: Shape = { type: "string" };
const number: Shape = { type: "number" };
const flag: Shape = { type: "boolean" };
const list = (items: Shape): Shape => ({ type: "array", items });
const texts = list(text);
const map = (required: Readonly<Record<string, Shape>>, optional: Readonly<Record<string, Shape>> = {}): Shape => ({
  type: "object",
  required: Object.keys(required),
  properties: { ...required, ...optional },
  additionalProperties: false,
});
const oneOf = (...choices: readonly string[]): Shape => ({ enum: choices });

type FailureOf<R extends FailureReason> = Omit<Extract<Failure, { reason: R }>, "reason" | "denied">;
/** `Pick` of an optional member can be empty. */
type OptionalNames<T> = { [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? K : never }[keyof T];
type Shapes<K extends PropertyKey> = { readonly [N in K]: Shape };
type MembersOf<T> = [OptionalNames<T>] extends [never]
  ? readonly [required: Shapes<keyof T>]
  : readonly [required: Shapes<Exclude<keyof T, OptionalNames<T>>>, optional: Shapes<OptionalNames<T>>];

/** The shape of a type: does not compile when a member is missing. */
export function shapeOf<T>(...members: MembersOf<T>): Shape {
  const [required, optional]: readonly [Readonly<Record<string, Shape>>, Readonly<Record<string, Shape>>?] = members;
  return map(required, optional);
}

const position = map({ line: number, column: number });
const origin = shapeOf<Origin>({ file: text, range: map({ start: position, end: position }) });
const limit = shapeOf<ExceededLimit>({ what: oneOf("time", "memory", "size"), max: number }, { actual: number });
const violation = shapeOf<Violation>(
  { message: text },
  { pointer: text, location: map({ file: text, line: number, column: number }), rule: text },
);
const diagnostic = shapeOf<Diagnostic>(
  { code: text, severity: oneOf("error", "warning"), message: text, origin },
  { hint: text, fix: text, related: list(map({ message: text, origin })) },
);
const conflict = shapeOf<MergeConflict>({ path: text, steps: texts, detail: text }, { hunk: text });

const denial = shapeOf<Denial>({ access: text, rules: texts });

/** The shape of a contract's result. */
export const contractResultShape = shapeOf<ContractResult>(
  {
    name: text,
    type: text,
    verdict: oneOf("pass", "fail", "error"),
    violations: list(violation),
    durationMs: { type: "number", minimum: 0 },
    onFailure: oneOf("halt", "retry", "warn"),
  },
  { tail: text, exceeded: limit },
);

const members: { readonly [R in FailureReason]: MembersOf<FailureOf<R>> } = {
  usage: [{ message: text }, { hint: text }],
  "manifest-invalid": [{ diagnostics: list(diagnostic) }],
  "file-unreadable": [{ path: text, code: text, detail: text }],
  "adapter-missing": [{ step: text, persona: text, detail: text, hint: text }, { adapter: text }],
  "git-outdated": [{ version: text, oldest: text }],
  "permission-unenforceable": [{ rules: list(map({ step: text, rule: text })) }],
  "owner-unsupported": [{ detail: text }],
  "state-locked": [{ path: text, holder: text }],
  "state-unreadable": [{ path: text, detail: text }],
  "state-unwritable": [{ path: text, code: text, detail: text }],
  "state-damaged": [{ path: text, detail: text }, { line: number }],
  "run-not-found": [{ selector: text, candidates: texts }],
  "run-mismatch": [{ run: text, what: text, theirs: text, ours: text }],
  "run-active": [{ run: text, pid: number, host: text }],
  "run-complete": [{ run: text }],
  "spawn-failed": [{ command: text, code: text, detail: text }],
  "adapter-exit": [{ exitCode: number, tail: text }, { inProject: flag }],
  "adapter-crash": [{ signal: text, tail: text }],
  timeout: [{ limitMs: number, tail: text }],
  "memory-exceeded": [{ limitBytes: number, peakBytes: number }],
  "disk-exceeded": [{ limitBytes: number, usedBytes: number }],
  "empty-output": [{ detail: text }],
  "agent-failed": [
    { kind: oneOf("auth", "rate-limit", "network", "config", "crash"), detail: text, tail: text },
    { status: number, retryAfterMs: number },
  ],
  "budget-exceeded": [{ what: oneOf("turns", "tokens", "cost", "time"), limit: number, used: number }, { of: oneOf("run") }],
  "recording-missing": [{ step: text, attempt: number, detail: text, hint: text }],
  "artifact-missing": [{ artifacts: texts, searched: texts }],
  "artifact-ambiguous": [{ artifact: text, matches: texts }],
  "artifact-refused": [{ artifact: text, path: text, detail: text }],
  "artifact-too-large": [{ artifact: text, size: number, limit: number }],
  "secret-leaked": [{ artifact: text }, { kind: text }],
  "write-denied": [{ paths: texts }, { rule: text }],
  "changeset-refused": [{ path: text, detail: text }],
  "merge-conflict": [{ conflicts: list(conflict) }, { step: text }],
  "project-changed": [{ paths: texts, hint: text }],
  "input-unavailable": [{ input: text, from: text, detail: text }],
  "contract-failed": [{ contracts: list(contractResultShape) }],
  "contract-error": [{ contract: text, detail: text }],
  "contract-limit-exceeded": [{ contract: text, limit }],
  "circuit-open": [{ contract: text, persona: text, failed: number, window: number, retryAt: text }],
  "workspace-failed": [{ detail: text, code: text }],
  "github-failed": [
    { doing: text, detail: text },
    { status: number, hint: text, limited: flag, unanswered: flag },
  ],
  "publish-refused": [{ artifact: text, detail: text }],
  cancelled: [{ by: text }],
  "run-failed": [{ run: text, steps: texts }],
  "dependency-open": [{ step: text, dependency: text }, { run: text }],
  "rolled-back": [{ to: text, steps: texts }],
};

/** The shape of a failure with this reason; undefined for a reason that this version does not know. */
export function failureShape(reason: string): Shape | undefined {
  if (!Object.hasOwn(members, reason)) return undefined;
  const [required, optional]: readonly [Readonly<Record<string, Shape>>, Readonly<Record<string, Shape>>?] =
    members[reason as FailureReason];
  return map({ reason: text, ...required }, { ...optional, denied: list(denial) });
}
