/** Opens a commit that the author of the checkout cannot change, to read a job's manifest from it. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { CommitObjects } from "../core/commit.ts";
import type { Failure } from "../core/failure.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { WorkflowContext } from "../core/workflow-context.ts";
import type { Location } from "../engine/open-project.ts";
import { fetchCommit } from "../github/fetched-commit.ts";
import { type CommitSource, openCommit } from "../manifest/load/commit-source.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import { realPlace } from "../platform/files.ts";
import { isInside, relativeInside } from "../platform/paths.ts";

export interface JobSourceRequest {
  readonly inputs: Pick<JobInputs, "files" | "workingDirectory">;
  readonly context: Pick<WorkflowContext, "owner" | "repo" | "serverUrl">;
  /** The checkout. */
  readonly workspace: string;
  readonly commit: string;
  /** Undefined if the job has no token. */
  readonly github?: CommitObjects;
  /** A temporary directory of the job. */
  readonly temp: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Cancels a fetch. */
  readonly signal: AbortSignal;
}

export interface JobSource extends CommitSource {
  readonly location: Location;
  close(): Promise<void>;
}

/** The working directory, absolute. Fails with `usage` if it is outside the checkout, through `..` or a symbolic link. */
export function workingDirectoryOf(workspace: string, workingDirectory: string): Result<string, Failure> {
  const cwd = path.resolve(workspace, workingDirectory);
  const [realWorkspace, realCwd] = [realPlace(workspace) ?? workspace, realPlace(cwd)];
  if (isInside(workspace, cwd) && (realCwd === undefined || isInside(realWorkspace, realCwd))) return ok(cwd);
  return err({ reason: "usage", message: `input \`working-directory\` is outside the checkout: ${workingDirectory}` });
}

/**
 * Opens the project at `commit` and finds its manifest there. Fails with `usage` if the commit has no manifest in the working
 * directory, and with `github-failed` if the commit cannot be read.
 */
export async function openJobSource(request: JobSourceRequest): Promise<Result<JobSource>> {
  const cwd = workingDirectoryOf(request.workspace, request.inputs.workingDirectory);
  if (!cwd.ok) return cwd;
  const named = manifestsOf(request.inputs.files);
  const directory = path.resolve(cwd.value, named.directory);
  const place = placeInRepository(request.workspace, directory);
  if (place === undefined) {
    const message = `the manifest's directory is outside the checkout, or behind a symbolic link: ${path.relative(request.workspace, directory)}`;
    return err({ reason: "usage", message });
  }
  const objects = await objectsOf(request);
  if (!objects.ok) return objects;
  const { close } = objects.value;
  const opened = await openProject(objects.value.objects, request.commit, place, named.files);
  if (opened.ok)
    return ok({ ...opened.value.opened, close, location: { root: realPlace(directory) ?? directory, files: opened.value.files } });
  await close();
  return opened;
}

async function openProject(
  objects: CommitObjects,
  commit: string,
  place: string,
  named: readonly string[],
): Promise<Result<{ readonly opened: CommitSource; readonly files: readonly string[] }>> {
  const opened = await openCommit(objects, commit, place);
  if (!opened.ok) return opened;
  const files = await findManifest(opened.value, named, `${place === "" ? "the root" : place} of commit ${commit.slice(0, 12)}`);
  return files.ok ? ok({ opened: opened.value, files: files.value }) : files;
}

/** The directory of the first manifest is the project's root; manifests are relative to it. */
function manifestsOf(files: readonly string[]): { readonly directory: string; readonly files: readonly string[] } {
  const posix = files.map((file) => file.split(path.sep).join("/"));
  const directory = path.posix.dirname(posix[0] ?? ".");
  return { directory: posix.length === 0 ? "." : directory, files: posix.map((file) => path.posix.relative(directory, file)) };
}

/** Searches the commit, not the checkout, for the default names. */
async function findManifest(
  { source, failure }: CommitSource,
  named: readonly string[],
  place: string,
): Promise<Result<readonly string[]>> {
  if (named.length > 0) return ok(named);
  const names = await source.list(".");
  const failed = failure();
  if (failed !== undefined) return err(failed);
  const first = ["wave.yaml", "wave.yml"].find((name) => names.includes(name));
  if (first !== undefined) return ok([first]);
  const hint = "a fork's pull request uses the manifest of its base; set `working-directory` or `file` if it is elsewhere";
  return err({ reason: "usage", message: `no wave.yaml in ${place}`, hint });
}

/**
 * A directory of the checkout, relative to the root of its repository. The root is the outermost directory with `.git`,
 * because a pull request can turn one of its directories into a submodule; without `.git`, it is the workspace. Git is not
 * run, because it would read the repository's configuration. Undefined if the directory is outside the workspace or behind
 * a symbolic link, which a pull request can point anywhere.
 */
function placeInRepository(workspace: string, directory: string): string | undefined {
  const inside = relativeInside(workspace, directory);
  const real = realPlace(directory);
  if (inside === undefined || (real !== undefined && real !== path.join(realPlace(workspace) ?? workspace, inside))) return undefined;
  const above = inside.split("/").map((_, index, names) => path.join(workspace, ...names.slice(0, index)));
  const root = [...above, directory].find((one) => existsSync(path.join(one, ".git")));
  return relativeInside(root ?? workspace, directory);
}

async function objectsOf({ github, context, commit, temp, env, signal }: JobSourceRequest): Promise<Result<OpenObjects>> {
  if (github !== undefined) return ok({ objects: github, close: async () => undefined });
  await mkdir(temp, { recursive: true });
  const fetched = await fetchCommit({ ...context, commit, directory: temp, env, signal });
  return fetched.ok ? ok({ objects: fetched.value, close: fetched.value.close }) : fetched;
}

interface OpenObjects {
  readonly objects: CommitObjects;
  readonly close: () => Promise<void>;
}
