/** Events and records of runs, for tests of reports: complete by default, and at times that are told apart. */
import { digestOfBytes } from "../../src/core/digest.ts";
import type { EventPayload, FingerprintRef, WaveEvent } from "../../src/core/event.ts";
import type { ContractResult } from "../../src/core/failure.ts";
import type { AttemptRecord, RunRecord, StepRecord } from "../../src/core/state.ts";
import { artifact, digest } from "./plan-fixtures.ts";

/** Milliseconds since the epoch at which the runs of tests begin. */
export const begin = Date.parse("2026-01-31T12:00:00.000Z");

export const fingerprint: FingerprintRef = { work: digest("work"), gate: digest("gate"), parts: {} };

/** What happened, and how many milliseconds after the run began. */
export type Moment = readonly [afterMs: number, payload: EventPayload];

/** Events of one writer; each begins the given number of milliseconds after the run did. */
export function events(...payloads: readonly Moment[]): WaveEvent[] {
  return payloads.map(([afterMs, payload], index) => ({
    v: 2,
    run: "3f9a",
    writer: "w1",
    seq: index + 1,
    clock: index + 1,
    ts: new Date(begin + afterMs).toISOString(),
    ...payload,
    prev: "0".repeat(64),
    hash: digestOfBytes(String(index)).slice("sha256:".length),
  }));
}

/** A run of these steps begins: id → what it depends on. */
export function started(steps: Readonly<Record<string, readonly string[]>>, pipeline = "demo"): EventPayload {
  return {
    type: "run-started",
    pipeline,
    manifest: digest("manifest"),
    options: { files: ["wave.yaml"], concurrency: 2, onFailure: "finish", reuse: false },
    base: { kind: "files", tree: digest("tree"), views: {} },
    nodes: Object.entries(steps).map(([id, dependencies]) => ({
      id,
      kind: "work",
      persona: "worker",
      dependencies: [...dependencies],
      optional: false,
      contracts: [],
    })),
  };
}

export function attemptStarted(step: string, attempt = 1): EventPayload {
  return {
    type: "attempt-started",
    step,
    attempt,
    persona: "worker",
    adapter: "command",
    fingerprint,
    inputs: [],
    breakers: [],
    probe: false,
  };
}

export function attemptPassed(step: string, attempt = 1, durationMs = 1200): EventPayload {
  return { type: "attempt-passed", step, attempt, durationMs, artifacts: [] };
}

export function result(name: string, members: Partial<ContractResult> = {}): ContractResult {
  return { name, type: "json_schema", verdict: "pass", violations: [], durationMs: 5, onFailure: "halt", ...members };
}

export function attemptRecord(members: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    attempt: 1,
    status: "passed",
    adapter: "command",
    startedAt: new Date(begin).toISOString(),
    durationMs: 1200,
    fingerprint,
    inputs: [],
    workspace: "isolated",
    artifacts: [],
    contracts: [],
    ...members,
  };
}

export function stepRecord(id: string, members: Partial<StepRecord> = {}): StepRecord {
  return {
    id,
    persona: "worker",
    dependencies: [],
    optional: false,
    status: "passed",
    artifacts: [],
    attempts: [attemptRecord()],
    ...members,
  };
}

export function runRecord(members: Partial<RunRecord> = {}): RunRecord {
  return {
    id: "3f9a",
    pipeline: "demo",
    status: "passed",
    startedAt: new Date(begin).toISOString(),
    durationMs: 12_300,
    manifest: digest("manifest"),
    options: { files: ["wave.yaml"], concurrency: 2, onFailure: "finish", reuse: false },
    base: { kind: "files", tree: digest("tree"), views: {} },
    applied: false,
    steps: [stepRecord("survey", { artifacts: [artifact("survey", "bytes")] })],
    writer: { pid: 42, processStart: "1", host: "box" },
    ...members,
  };
}
