/**
 * Compares a run with the trusted definition of a job. Imported state is untrusted data: a job resumes a run only if everything that the
 * run pinned equals the job's trusted source, and executes its own definition. The pinned copy is never executed.
 */
import type { Digest } from "../core/digest.ts";
import type { Failure } from "../core/failure.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { BlobStore } from "../core/ports.ts";
import type { RunRecord } from "../core/state.ts";
import { pinnedList, readPinned } from "../store/pinned-manifest.ts";
import type { ReadProject } from "./open-project.ts";
import { filesToPin } from "./pin-definition.ts";

/** The definition that a job loaded from its trusted source. */
export interface TrustedDefinition {
  readonly read: ReadProject;
  readonly pipeline: Pipeline;
  /** Of the run's input as it is stored; undefined if the job has none. */
  readonly input?: Digest;
  /** Whether a run with another input may be resumed: its input is data, and the job names the run itself. */
  readonly anyInput: boolean;
}

type Mismatch = Extract<Failure, { reason: "run-mismatch" }>;

/**
 * The first difference between a run and the job's own definition. Undefined if they are equal. Blobs are read only to
 * name a file.
 */
export async function mismatchOf(run: RunRecord, own: TrustedDefinition, blobs: BlobStore): Promise<Mismatch | undefined> {
  const differs = (what: string, theirs = "none", ours = "none"): Mismatch => ({
    reason: "run-mismatch",
    run: run.id,
    what: cut(what),
    theirs: cut(theirs),
    ours: cut(ours),
  });
  const { read, pipeline } = own;
  const { options } = run;
  const manifests = [options.files.join(", "), read.files.join(", ")] as const;
  if (manifests[0] !== manifests[1]) return differs("manifest", ...manifests);
  if (options.environment !== read.environment) return differs("environment", options.environment, read.environment);
  if (options.adapter !== read.adapter) return differs("adapter", options.adapter, read.adapter);
  const names = [nameOf(run.pipeline, run.version), nameOf(pipeline.name, pipeline.version)] as const;
  if (names[0] !== names[1]) return differs("pipeline", ...names);
  const files = filesToPin(read);
  const { digest } = pinnedList(files);
  if (run.manifest !== digest) return differs(await differingFile(run.manifest, own, blobs), run.manifest, digest);
  if (!own.anyInput && options.input !== own.input) return differs("input", options.input, own.input);
  const theirs = run.steps.map(stepText);
  const ours = pipeline.steps.map((step) => stepText({ ...step, persona: step.persona.name }));
  const at = Array.from({ length: Math.max(theirs.length, ours.length) }, (_, index) => index).find(
    (index) => theirs[index] !== ours[index],
  );
  return at === undefined ? undefined : differs("list of steps", theirs[at], ours[at]);
}

/** Long enough for a path and a digest. Texts from state may be of any length. */
const maxLength = 200;

function cut(text: string): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

function nameOf(pipeline: string, version: string | undefined): string {
  return version === undefined ? pipeline : `${pipeline}@${version}`;
}

/** Names the first file, in the order of paths, that only one of the two has or whose bytes differ. */
async function differingFile(pinned: Digest, { read }: TrustedDefinition, blobs: BlobStore): Promise<string> {
  const theirs = await readPinned(blobs, pinned);
  if (!theirs.ok) return "pinned manifest";
  const { files: ours } = pinnedList(filesToPin(read));
  const paths = [...new Set([...theirs.value.keys(), ...ours.keys()])].sort();
  return paths.find((file) => theirs.value.get(file) !== ours.get(file)) ?? "pinned manifest";
}

interface StepShape {
  readonly id: string;
  readonly persona: string;
  readonly dependencies: readonly string[];
  readonly optional: boolean;
}

function stepText({ id, persona, dependencies, optional }: StepShape): string {
  const after = dependencies.length === 0 ? "" : `, after ${dependencies.join(", ")}`;
  return `${id} by ${persona}${after}${optional ? ", optional" : ""}`;
}
