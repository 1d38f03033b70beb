/**
 * Checks events that were written on another machine. A valid hash does not prove that the contents are valid, because anyone can compute hashes.
 * Events that pass have only members and values that Wave itself writes.
 */
import type { WaveEvent } from "../../core/event.ts";
import { checkShape, type Shape } from "./check-shape.ts";
import { contractResultShape, failureShape } from "./failure-shapes.ts";
import { eventShapes } from "./generated/event-shapes.js";

/** Largest accepted Lamport clock. Leaves room for further events. */
const maxClock = 2 ** 48;
/** Larger numbers are not exact. */
const maxNumber = Number.MAX_SAFE_INTEGER;
/** Longest name of a step or artifact, in characters. Files are named after them. */
const longestName = 200;

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Returns the first problem of an event, as a clause. Undefined if it is valid. */
export function eventProblem(event: WaveEvent): string | undefined {
  const { v: _v, run: _run, writer: _writer, seq: _seq, prev: _prev, hash: _hash, sig: _sig, clock, ts, type, ...payload } = event;
  if (clock > maxClock) return "its clock is out of range";
  if (!timestamp.test(ts) || !Number.isFinite(Date.parse(ts))) return "its time is not a timestamp";
  // Values last: the depth is only bounded once the shape is valid.
  return shapeProblem(eventShapes[type], payload) ?? contentProblem(event) ?? valueProblem(payload);
}

function contentProblem(event: WaveEvent): string | undefined {
  if ("failure" in event && event.failure !== undefined) {
    const problem = failureProblem(event.failure);
    if (problem !== undefined) return `its failure: ${problem}`;
  }
  if (event.type === "contract-checked") {
    const problem = shapeProblem(contractResultShape, event.result);
    if (problem !== undefined) return `its result: ${problem}`;
  }
  return namesIn(event).every(isName) ? undefined : "one of its names is not valid for a step or an artifact";
}

/** Returns the first problem of a failure, as a clause; undefined if there is none. */
export function failureProblem(failure: unknown): string | undefined {
  const reason = typeof failure === "object" && failure !== null && "reason" in failure ? failure.reason : undefined;
  const shape = typeof reason === "string" ? failureShape(reason) : undefined;
  return shape === undefined ? "its reason is unknown to this version" : shapeProblem(shape, failure);
}

/** Ids of steps and names of artifacts, which become file names. */
function namesIn(event: WaveEvent): readonly string[] {
  const nodes = event.type === "run-started" ? event.nodes : event.type === "run-resumed" ? (event.update?.nodes ?? []) : [];
  return [
    ...nodes.map(({ id }) => id),
    ...("step" in event ? [event.step] : []),
    ...("artifacts" in event ? event.artifacts.map(({ name }) => name) : []),
    ...("inputs" in event ? event.inputs.map(({ name }) => name) : []),
  ];
}

/** Whether a text can be the id of a step or the name of an artifact: files are named after them. */
export function isName(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused.
  return text !== "" && text !== "." && text !== ".." && text.length <= longestName && !/[\u0000-\u001f\u007f/\\]/.test(text);
}

/** Returns the first difference between a value and a shape, as a clause; undefined if there is none. */
export function shapeProblem(shape: Shape, value: unknown): string | undefined {
  const [problem] = checkShape(shape, value);
  if (problem === undefined) return undefined;
  const place = problem.instancePath === "" ? "" : `\`${problem.instancePath.slice(0, longestName)}\` `;
  return `${place}does not match the schema (${problem.keyword})`;
}

/** Returns that a value of known shape contains a number that is not exact; undefined if it contains none. */
export function valueProblem(value: unknown): string | undefined {
  if (typeof value === "number") return Math.abs(value) <= maxNumber ? undefined : "one of its numbers is out of range";
  if (typeof value !== "object" || value === null) return undefined;
  for (const member of Object.values(value)) {
    const problem = valueProblem(member);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
