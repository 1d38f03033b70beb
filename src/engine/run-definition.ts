/** The definition that a run is resumed with: the one that was pinned when it began, or the one that the project has now. */

import { defined } from "../core/defined.ts";
import type { FileSource } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import { pinnedSource } from "../manifest/load/pinned-source.ts";
import { selectPipeline } from "../manifest/validate/select-pipeline.ts";
import { readPinned } from "../store/pinned-manifest.ts";
import { openStore, type ProjectRequest, type ReadonlyRunStore, type ReadProject, readProject, requireValid } from "./open-project.ts";
import { openAdapters, type PlannedRun, planSelected } from "./plan-run.ts";
import type { TrustedDefinition } from "./trusted-definition.ts";
import { type Redefinition, redefinition } from "./update-definition.ts";

interface DefinitionRequest extends ProjectRequest {
  readonly update: boolean;
  /** Compared with the run already: nothing of the pinned copy is read. */
  readonly trusted?: TrustedDefinition;
}

/** What a run is resumed with. */
export interface Definition {
  readonly planned: PlannedRun;
  readonly input?: string;
  /** Where it is not the one that the run had. */
  readonly next?: Redefinition;
}

/** Plans it, over the base that the run began with. `update`: the one on disk, if it is another. Fails with `manifest-invalid`, and as planning does. */
export async function definitionOf(
  request: DefinitionRequest,
  root: string,
  run: RunRecord,
  outer: ReadonlyRunStore,
): Promise<Result<Definition>> {
  if (request.trusted !== undefined) return planRead(request, root, run, outer, request.trusted.read);
  const pinned = await readPinned(outer.blobs, run.manifest);
  if (!pinned.ok) return pinned;
  const source = pinnedSource(
    async (path) => {
      const digest = pinned.value.get(path);
      const bytes = digest === undefined ? undefined : await outer.blobs.get(digest);
      return bytes?.ok === true ? bytes.value : undefined;
    },
    [...pinned.value.keys()],
  );
  const before = await planDefinition(request, root, run, outer, source);
  if (!before.ok || !request.update) return before;
  const now = await planDefinition(request, root, run, outer);
  if (!now.ok) return now;
  const next = await redefinition(before.value.planned, now.value.planned, run.manifest);
  if (!next.ok) return next;
  return ok(next.value === undefined ? before.value : { ...now.value, next: next.value });
}

/** Plans a run over the base that it began with, by the files that `source` gives; absent: those on disk. */
async function planDefinition(
  request: DefinitionRequest,
  root: string,
  run: RunRecord,
  outer: ReadonlyRunStore,
  source?: FileSource,
): Promise<Result<Definition>> {
  const { options } = run;
  const words = {
    ...request,
    ...defined({ environment: options.environment, adapter: options.adapter }),
  };
  const read = await readProject(words, { root, files: options.files }, source);
  return read.ok ? planRead(request, root, run, outer, read.value) : read;
}

async function planRead(
  request: DefinitionRequest,
  root: string,
  run: RunRecord,
  outer: ReadonlyRunStore,
  read: ReadProject,
): Promise<Result<Definition>> {
  const project = requireValid(read);
  if (!project.ok) return project;
  const pipeline = selectPipeline(project.value, run.version === undefined ? run.pipeline : `${run.pipeline}@${run.version}`);
  if (!pipeline.ok) return pipeline;
  // This manifest may declare secrets that the current one does not: state is opened again with all of them known.
  const store = { ...openStore(read, request), stateDir: outer.stateDir };
  const input = await inputOf(run, store);
  if (!input.ok) return input;
  const open = {
    read,
    project: project.value,
    store,
    env: request.env,
    adapters: openAdapters(request, root),
    ...defined({ trustedFiles: request.trustedFiles }),
  };
  const planned = await planSelected(open, pipeline.value, async () => ok(run.base), false, input.value);
  return planned.ok ? ok({ planned: planned.value, ...defined({ input: input.value }) }) : planned;
}

async function inputOf(run: RunRecord, { blobs }: ReadonlyRunStore): Promise<Result<string | undefined>> {
  if (run.options.input === undefined) return ok(undefined);
  const bytes = await blobs.get(run.options.input);
  return bytes.ok ? ok(Buffer.from(bytes.value).toString()) : bytes;
}
