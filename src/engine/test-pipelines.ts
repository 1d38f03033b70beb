/**
 * Tests pipelines: each test replays a recording as an ordinary run with a temporary state, and compares the result with its
 * expectations. The project is not changed, nothing is published, and no state is kept.
 */

import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { readBefore, readRecordedRun } from "../adapters/replay/recording-files.ts";
import { changesetTo } from "../changeset/diff-against.ts";
import { removeTree } from "../changeset/remove-tree.ts";
import type { Changeset } from "../core/changeset.ts";
import { defined } from "../core/defined.ts";
import { type Diagnostic, hasErrors, sortDiagnostics } from "../core/diagnostic.ts";
import type { Failure } from "../core/failure.ts";
import type { ValidatedProject } from "../core/loaded.ts";
import type { Mismatch, ObservedRun, PipelineTest, TestResult } from "../core/pipeline-test.ts";
import type { Clock, Reporter } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { diskSource } from "../manifest/load/disk-source.ts";
import { loadTests, testsDirectory } from "../manifest/load/find-tests.ts";
import { readPipelineTests } from "../manifest/validate/pipeline-tests.ts";
import { systemClock } from "../platform/clock.ts";
import { createStateDirectory, describeIoError, stateUnwritable, tryIo, writeFileDurably } from "../platform/files.ts";
import { processExists } from "../platform/process-identity.ts";
import { testsAsJunit } from "../reporters/junit.ts";
import { compareRun, compareSnapshot, parseSnapshot, snapshotText } from "../reporters/tests/compare-run.ts";
import { observeRun } from "../reporters/tests/observe-run.ts";
import { closest } from "../text/suggest.ts";
import { evaluator } from "./evaluator.ts";
import { locateProject, openStore, type ProjectRequest, type ReadProject, readProject, requireValid } from "./open-project.ts";
import type { PlannedRun } from "./plan-run.ts";
import { type FinishedRun, runPipeline } from "./run-pipeline.ts";

export interface TestRequest {
  readonly project: ProjectRequest;
  /** Names of tests. If empty, all. */
  readonly names: readonly string[];
  /** Only tests of this pipeline, in any version. */
  readonly pipeline?: string;
  /** Writes snapshots instead of comparing them. */
  readonly update: boolean;
  readonly signal: AbortSignal;
  onResult(result: TestResult): void;
}

export interface TestedPipelines {
  readonly results: readonly TestResult[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Runs tests one after the other. Fails with `manifest-invalid`, `usage` if there are none, and `cancelled`. */
export async function testPipelines(request: TestRequest): Promise<Result<TestedPipelines>> {
  const located = locateProject(request.project);
  if (!located.ok) return located;
  const read = await readProject({ ...request.project, adapter: "replay" }, located.value);
  if (!read.ok) return read;
  const project = requireValid(read.value);
  if (!project.ok) return project;
  const loaded = await loadTests(request.project.known?.source ?? diskSource(read.value.root));
  const { tests, diagnostics } = readPipelineTests(loaded.tests, project.value);
  const all = sortDiagnostics([...loaded.diagnostics, ...diagnostics]);
  if (hasErrors(all)) return err({ reason: "manifest-invalid", diagnostics: all });
  const chosen = chosenTests(tests, request);
  if (!chosen.ok) return chosen;
  const results: TestResult[] = [];
  for (const test of chosen.value) {
    const result = await runTest(request, withoutEffects(read.value, project.value), test);
    if (request.signal.aborted) return err({ reason: "cancelled", by: String(request.signal.reason) });
    results.push(result);
    request.onResult(result);
  }
  return ok({ results, diagnostics: all });
}

function chosenTests(tests: readonly PipelineTest[], { names, pipeline }: TestRequest): Result<readonly PipelineTest[]> {
  if (tests.length === 0) return err({ reason: "usage", message: `there are no tests in ${testsDirectory}`, hint: "see docs/testing.md" });
  const all = tests.map(({ name }) => name);
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    const guess = closest(unknown, all);
    const hint = guess === undefined ? `tests: ${all.join(", ")}` : `did you mean \`${guess}\`?`;
    return err({ reason: "usage", message: `there is no test \`${unknown}\``, hint });
  }
  const wanted = tests.filter((test) => (names.length === 0 || names.includes(test.name)) && isOf(test, pipeline));
  if (wanted.length > 0) return ok(wanted);
  return err({ reason: "usage", message: `there is no test of pipeline \`${pipeline}\``, hint: `tests: ${all.join(", ")}` });
}

function isOf({ pipeline: { name, version } }: PipelineTest, wanted: string | undefined): boolean {
  return wanted === undefined || wanted === name || wanted === `${name}@${version}`;
}

/** Tests publish nothing, send no alerts and have no budget. */
function withoutEffects(read: ReadProject, project: ValidatedProject): ReadProject {
  const pipelines = project.pipelines.map(({ pipeline: { budget: _, ...pipeline }, active }) => ({
    pipeline: { ...pipeline, publish: [] },
    active,
  }));
  return { ...read, project: { ...project, pipelines, alerts: [] } };
}

/** Retries do not wait. */
const sleeplessClock: Clock = { ...systemClock, sleep: () => Promise.resolve() };

const silent: Reporter = { name: "silent", onEvent: () => undefined, close: () => Promise.resolve() };

async function runTest(request: TestRequest, read: ReadProject, test: PipelineTest): Promise<TestResult> {
  const startedAt = systemClock.monotonic();
  const { name, file, pipeline } = test;
  const selector = pipeline.version === undefined ? pipeline.name : `${pipeline.name}@${pipeline.version}`;
  const replayed = await inOwnState(read, (stateDir) => replayTest(request, read, test, selector, stateDir));
  const outcome = replayed.ok ? replayed.value : { mismatches: [], failures: [], snapshot: "none" as const, error: replayed.error };
  return { test: { name, file, pipeline: selector }, ...outcome, durationMs: systemClock.monotonic() - startedAt };
}

type TestOutcome = Omit<TestResult, "test" | "durationMs">;

async function replayTest(
  { project: { env, cwd }, update, signal }: TestRequest,
  read: ReadProject,
  test: PipelineTest,
  pipeline: string,
  stateDir: string,
): Promise<Result<TestOutcome>> {
  const recordings = path.join(read.root, test.recordings);
  const recorded = await readRecordedRun(recordings);
  const input = test.input ?? (recorded.ok ? recorded.value.input : undefined);
  const finished = await runPipeline({
    project: { cwd, env, files: read.files, known: { read }, adapter: "replay", recordings, stateSettings: { stateDir } },
    pipeline,
    ...defined({ input }),
    startChangeset: (planned) => changesetToRecording(planned, recordings),
    settings: { onFailure: "finish", reuse: false, apply: false, resetCircuit: false },
    clock: sleeplessClock,
    signal,
    hooks: { reporter: () => Promise.resolve(silent) },
  });
  if (!finished.ok) return finished;
  const observed = await observeRun(finished.value.run, finished.value.planned.store.blobs);
  if (!observed.ok) return observed;
  const expected = await compareRun(test, observed.value.run, observed.value.textOf, { evaluator, signal });
  const snapshot = await checkSnapshot(read.root, test, observed.value.run, update);
  if (!snapshot.ok) return snapshot;
  const surprising = finished.value.run.status !== test.status.value;
  return ok({
    mismatches: [...expected, ...snapshot.value.mismatches],
    failures: surprising ? failuresOf(finished.value) : [],
    snapshot: snapshot.value.kind,
  });
}

/** Restores the files that the recording changed to the states before it; other files are unchanged. */
async function changesetToRecording({ plan, store, read }: PlannedRun, recordings: string): Promise<Result<Changeset>> {
  const before = await readBefore(
    recordings,
    plan.steps.map(({ step }) => step.id),
  );
  return before.ok ? changesetTo({ root: read.root, entries: before.value, blobs: store.blobs }) : before;
}

function failuresOf({ run }: FinishedRun): TestResult["failures"] {
  return run.steps.flatMap(({ id, failure, attempts }) => {
    if (failure === undefined) return [];
    const attempt = attempts.at(-1)?.attempt;
    return [{ step: id, ...defined({ attempt }), failure }];
  });
}

/** The snapshot file of a test, relative to the project. */
export function snapshotFile({ file }: Pick<PipelineTest, "file">): string {
  return file.replace(/\.ya?ml$/, ".snapshot.json");
}

async function checkSnapshot(
  root: string,
  test: PipelineTest,
  run: ObservedRun,
  update: boolean,
): Promise<Result<{ readonly kind: TestResult["snapshot"]; readonly mismatches: readonly Mismatch[] }>> {
  const origin = test.snapshot;
  if (origin === undefined) return ok({ kind: "none", mismatches: [] });
  const name = snapshotFile(test);
  const file = path.join(root, name);
  if (update) {
    const written = await writeFileDurably(file, Buffer.from(snapshotText(run)));
    return written.ok ? ok({ kind: "written", mismatches: [] }) : err({ reason: "state-unwritable", path: file, ...written.error });
  }
  const different = (mismatches: readonly Mismatch[]) => ok({ kind: mismatches.length === 0 ? "same" : "different", mismatches } as const);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const { code, detail } = describeIoError(error);
    const why = code === "ENOENT" ? "there is no snapshot yet: `wave test --update` writes it" : `${name} cannot be read: ${detail}`;
    return different([{ message: why, origin }]);
  }
  const before = parseSnapshot(text);
  if (before === undefined)
    return different([{ message: `${name} is not a snapshot of this version: run \`wave test --update\``, origin }]);
  return different(compareSnapshot(before as never, JSON.parse(JSON.stringify(run)), origin));
}

/** Calls `work` with a temporary state directory below the project's state. Also removes those of killed tests. */
async function inOwnState<T>(read: ReadProject, work: (stateDir: string) => Promise<Result<T>>): Promise<Result<T>> {
  const { stateRoot } = openStore(read, { env: {} });
  const tests = path.join(stateRoot, "tests");
  try {
    await createStateDirectory(stateRoot);
    await removeOrphans(tests);
  } catch (error) {
    return err({ reason: "state-unwritable", path: stateRoot, ...describeIoError(error) } satisfies Failure);
  }
  const stateDir = path.join(tests, `${process.pid}-${randomBytes(4).toString("hex")}`);
  try {
    return await work(stateDir);
  } finally {
    await removeTree(stateDir);
  }
}

async function removeOrphans(tests: string): Promise<void> {
  const names = await readdir(tests).catch(() => []);
  for (const name of names) if (!processExists(Number.parseInt(name, 10))) await removeTree(path.join(tests, name));
}

/** Writes results as JUnit XML. Fails with `state-unwritable`. */
export async function writeJunit(file: string, results: readonly TestResult[]): Promise<Result<void>> {
  const written = await tryIo(() => writeFile(file, testsAsJunit(results)));
  return written.ok ? written : err(stateUnwritable(file, written.error));
}
