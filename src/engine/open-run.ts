/** Opens the store of a project, and finds a recorded run and step in it. */
import { ok, type Result } from "../core/result.ts";
import type { RunRecord, StepRecord } from "../core/state.ts";
import { blobsOf } from "../store/archived-run.ts";
import { stepOf } from "../store/run-step.ts";
import {
  locateProject,
  openReadonlyStore,
  openStore,
  type ProjectRequest,
  type ReadonlyRunStore,
  type ReadProject,
  type RunStore,
  readProject,
} from "./open-project.ts";

/** A run with the store that has it. Blobs that a cleanup removed are reported as such. */
export interface OpenedRun {
  readonly store: ReadonlyRunStore;
  readonly run: RunRecord;
  /** Undefined if no step was named. */
  readonly step?: StepRecord;
}

/** Reads the manifest, which may be invalid, and opens its store. Fails without a manifest. */
export async function openProjectStore(request: ProjectRequest): Promise<Result<{ read: ReadProject; store: RunStore }>> {
  const located = locateProject(request);
  if (!located.ok) return located;
  const read = await readProject(request, located.value);
  return read.ok ? ok({ read: read.value, store: openStore(read.value, request) }) : read;
}

/** Opens the store for reading alone, without reading more of the manifest than its location. */
export async function openPastRuns(request: ProjectRequest): Promise<Result<ReadonlyRunStore>> {
  const located = locateProject(request);
  return located.ok ? ok(await openReadonlyStore(request, located.value)) : located;
}

/** Finds a run, and a step of it. Fails with `run-not-found`, and with `usage` for an unknown step. */
export async function openRun(request: ProjectRequest, selector = "latest", id?: string): Promise<Result<OpenedRun>> {
  const opened = await openPastRuns(request);
  if (!opened.ok) return opened;
  const found = await opened.value.state.findRun(selector);
  if (!found.ok) return found;
  const run = found.value;
  const store = { ...opened.value, blobs: blobsOf(run, opened.value.blobs) };
  if (id === undefined) return ok({ store, run });
  const step = stepOf(run, id);
  return step.ok ? ok({ store, run, step: step.value }) : step;
}
