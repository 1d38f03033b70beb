/**
 * Opens a project: finds the manifest, loads and validates it, and opens the state. State is opened with the declared secrets known, so
 * that nothing is stored unredacted.
 */
import { existsSync, lstatSync } from "node:fs";
import path from "node:path";
import { defaultAgent } from "../adapters/detect-agents.ts";
import { localBlobs } from "../blobs/local-blobs.ts";
import { type BlobFetcher, withFallback } from "../blobs/with-fallback.ts";
import { defined } from "../core/defined.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { hasErrors, sortDiagnostics } from "../core/diagnostic.ts";
import { defaultStateLocation } from "../core/limits.ts";
import type { LoadedProject, ValidatedProject } from "../core/loaded.ts";
import { type AdapterName, adapterNames } from "../core/names.ts";
import type { Pipeline } from "../core/pipeline.ts";
import type { Adapter, BlobStore, FileSource, Redactor, StateStore, TrustedFiles } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { version } from "../core/version.ts";
import { diskSource } from "../manifest/load/disk-source.ts";
import { loadProject } from "../manifest/load/load-project.ts";
import { collectSecretNames, secretNamesInText } from "../manifest/load/secret-names.ts";
import { findStateLocation, stateLocationIn } from "../manifest/load/state-location.ts";
import type { ValidateOptions } from "../manifest/validate/scope.ts";
import { selectPipeline } from "../manifest/validate/select-pipeline.ts";
import { validateProject } from "../manifest/validate/validate-project.ts";
import { systemClock } from "../platform/clock.ts";
import { realPlace } from "../platform/files.ts";
import { findRepository } from "../platform/git-repository.ts";
import { isInside } from "../platform/paths.ts";
import { closeExistingState } from "../platform/private-state.ts";
import { personaLibrary } from "../prompt/library.ts";
import { literalTokens } from "../redaction/literal-tokens.ts";
import { createRedactor } from "../redaction/redactor.ts";
import { openState } from "../store/open-store.ts";
import { closest } from "../text/suggest.ts";
import type { ProjectListing } from "../workspace/base.ts";
import { contractTypes, evaluator } from "./evaluator.ts";
import { openAdapters } from "./open-adapters.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Selects a project and how it is read. */
export interface ProjectRequest {
  readonly cwd: string;
  readonly env: Environment;
  /** `-f`, relative to `cwd`. If empty, `wave.yaml` or `wave.yml` in `cwd` or a parent in the same repository. */
  readonly files: readonly string[];
  readonly environment?: string;
  readonly adapter?: string;
  /** For the adapter `replay`: the recording, absolute. Defaults to the one that the manifest names. */
  readonly recordings?: string;
  readonly known?: KnownProject;
  readonly stateSettings?: StateSettings;
  readonly hooks?: ProjectHooks;
  /** Cancels reading the project. Defaults to none. */
  readonly signal?: AbortSignal;
}

/** The parts of a project that the caller has found or read already. */
export interface KnownProject {
  /** Where the manifest and the files that it names are read. Defaults to the disk. */
  readonly source?: FileSource;
  /** The trusted source, if that is a commit. Undefined if it is the base of the run. */
  readonly trustedFiles?: TrustedFiles;
  /** Undefined if the manifest has to be found. */
  readonly location?: Location;
  /** Undefined if the project has to be read. */
  readonly read?: ReadProject;
  /** A listing of the project's files that was started before. */
  readonly listing?: ProjectListing;
}

/** Where and how state is stored. */
export interface StateSettings {
  /** Absolute. Defaults to the directory that the manifest names. */
  readonly stateDir?: string;
  /** Fetches blobs that are not in the local store. Undefined: they are missing. */
  readonly fetchBlob?: BlobFetcher;
  /** Signs journals. A secret: it is redacted everywhere, and no child gets it. */
  readonly stateKey?: string;
}

/** Called while a project is opened. Texts are single sentences. */
export interface ProjectHooks {
  /** Called before something that delays the first step, such as the installation of an agent. */
  readonly onProgress?: (text: string) => void;
  /** Called with a warning for the user. */
  readonly warn?: (text: string) => void;
  /** Called with the values of declared secrets once they are known, even if the manifest is invalid, and with their redactor if one was made. */
  readonly onSecrets?: (values: readonly string[], redactor?: Redactor) => void;
}

/** A project, its manifest files relative to its root. */
export interface Location {
  readonly root: string;
  readonly files: readonly string[];
}

/** A project whose manifest was read. `project` is undefined if an error prevents validation. */
export interface ReadProject extends Location {
  readonly environment?: string;
  readonly adapter?: AdapterName;
  readonly loaded: LoadedProject;
  readonly project?: ValidatedProject;
  readonly diagnostics: readonly Diagnostic[];
}

/** The state of a project, opened with the secrets known. */
export interface RunStore {
  readonly stateDir: string;
  /** Where the project keeps state: `stateDir`, or a directory above it. Not part of any workspace. */
  readonly stateRoot: string;
  readonly state: StateStore;
  readonly blobs: BlobStore;
  readonly redactor: Redactor;
}

/** The state of a project, opened for reading. Nothing is stored, so secrets need not be known. */
export interface ReadonlyRunStore extends Pick<RunStore, "stateDir" | "blobs"> {
  readonly state: Omit<StateStore, "openJournal">;
}

/** A valid project with its state and adapters. */
export interface OpenProject {
  readonly read: ReadProject;
  readonly project: ValidatedProject;
  readonly store: RunStore;
  /** The environment of the wave process. */
  readonly env: Environment;
  readonly adapters: ReadonlyMap<string, Adapter>;
}

/**
 * Finds the manifest: the named files, else `wave.yaml` or `wave.yml` in `cwd` or the nearest parent in the same repository. The project's root
 * is the directory of the first file, without symbolic links.
 */
export function locateProject(request: Pick<ProjectRequest, "cwd" | "files" | "known">): Result<Location> {
  if (request.known?.location !== undefined) return ok(request.known.location);
  const { cwd } = request;
  const named = request.files.map((file) => path.resolve(cwd, file));
  const isHere = named.length > 0 || manifestsIn(cwd).length > 0;
  const searched = isHere ? [cwd] : searchedDirectories(cwd);
  const manifests = named.length > 0 ? named : searched.flatMap(manifestsIn).slice(0, 1);
  const first = manifests[0];
  if (first === undefined) {
    // Node replaces bytes that are not UTF-8 in the path of the working directory.
    if (cwd.includes("\uFFFD") && !existsSync(cwd))
      return err({
        reason: "usage",
        message: `the path ${cwd} is not UTF-8, which Wave needs`,
        hint: "rename the directory, or mount it at another path",
      });
    if (!existsSync(cwd))
      return err({ reason: "usage", message: `${cwd} does not exist`, hint: "change to a directory that exists, or name one with -C" });
    const parents = searched.length > 1 ? ` or its parents up to ${searched.at(-1)}` : "";
    return err({
      reason: "usage",
      message: `no wave.yaml in ${cwd}${parents}`,
      hint: "name a manifest with -f, or change to its directory with -C",
    });
  }
  const root = realDirectory(first);
  const fromRoot = (file: string) => path.relative(root, path.join(realDirectory(file), path.basename(file)));
  return ok({ root, files: manifests.map((file) => fromRoot(file).split(path.sep).join("/")) });
}

/**
 * `cwd` and its parents up to the top of its repository. Only `cwd` without a repository, or if another user owns it: every user can put a
 * manifest in a shared directory such as /tmp.
 */
function searchedDirectories(cwd: string): readonly string[] {
  const discovery = findRepository(cwd);
  const start = realPlace(cwd);
  if (start === undefined || discovery.kind !== "found" || !discovery.isOwn || !isInside(discovery.repository.top, start)) return [cwd];
  const directories = [cwd];
  for (let at = start; at !== discovery.repository.top; ) {
    at = path.dirname(at);
    directories.push(at);
  }
  return directories;
}

/** A broken symbolic link counts: the manifest of a parent must not take its place. */
function manifestsIn(directory: string): readonly string[] {
  return ["wave.yaml", "wave.yml"].map((name) => path.join(directory, name)).filter(isPresent);
}

function isPresent(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** The real directory of a file: git and the kernel use its path without links. A missing directory is reported when the file is read. */
function realDirectory(file: string): string {
  const directory = path.dirname(file);
  return realPlace(directory) ?? directory;
}

/** Load → validate. Fails only if there is nothing to validate; problems in the manifest are diagnostics. `source` replaces the request's. */
export async function readProject(request: ProjectRequest, location: Location, source?: FileSource): Promise<Result<ReadProject>> {
  const { known, hooks, signal } = request;
  if (source === undefined && known?.read !== undefined) return ok(known.read);
  const adapter = adapterNames.find((name) => name === request.adapter);
  if (request.adapter !== undefined && adapter === undefined) {
    const guess = closest(request.adapter, adapterNames);
    const hint = guess === undefined ? `adapters: ${adapterNames.join(", ")}` : `did you mean \`${guess}\`?`;
    return err({ reason: "usage", message: `\`${request.adapter}\` is not an adapter`, hint });
  }
  const overlay = request.environment === undefined ? {} : { environment: request.environment };
  const loaded = await loadProject({
    files: [...location.files],
    ...overlay,
    env: request.env,
    source: warmingSource(source ?? known?.source ?? diskSource(location.root)),
  });
  hooks?.onSecrets?.(declaredSecrets(loaded, request.env));
  const chosen = adapter === undefined ? {} : { adapter };
  const checkContract: ValidateOptions["checkContract"] = async (contract, files) =>
    (await contractTypes.get(contract.type)?.check(contract, files, signal)) ?? [];
  const validated = await validateProject(withLiteralTokens(loaded), {
    ...chosen,
    ...defined({ defaultAdapter: defaultAgent(request.env) }),
    library: personaLibrary,
    checkContract,
  });
  if (signal?.aborted) return err({ reason: "cancelled", by: String(signal.reason) });
  return ok({ ...location, ...overlay, ...chosen, loaded, ...validated });
}

/** Adds an error for each token in the text of a file: every one of these files is pinned when a run starts. */
function withLiteralTokens(loaded: LoadedProject): LoadedProject {
  const tokens = literalTokens(loaded.files.values());
  return tokens.length === 0 ? loaded : { ...loaded, diagnostics: sortDiagnostics([...loaded.diagnostics, ...tokens]) };
}

/** Starts the evaluation thread as soon as a file mentions a contract that needs it, while loading continues. */
function warmingSource(source: FileSource): FileSource {
  return {
    ...source,
    async read(path, limit, scope) {
      const read = await source.read(path, limit, scope);
      if (read.kind === "bytes" && Buffer.from(read.bytes.buffer, read.bytes.byteOffset, read.bytes.length).includes("json_schema"))
        evaluator.warm("check-schema");
      return read;
    },
  };
}

/** The text of a manifest's file, for code frames. */
export function fileTextOf(loaded: LoadedProject): (path: string) => string | undefined {
  return (file) => {
    const named = loaded.files.get(file);
    return named?.kind === "text" ? named.text : undefined;
  };
}

/** The values of the secrets that a manifest declares, even if it is invalid. */
function declaredSecrets({ manifest, files }: LoadedProject, env: Environment): readonly string[] {
  const names = new Set<string>();
  if (manifest !== undefined) collectSecretNames(manifest, names);
  else for (const file of files.values()) if (file.kind === "text") for (const name of secretNamesInText(file.text)) names.add(name);
  return [...names].map((name) => env[name] ?? "").filter((value) => value !== "");
}

/** Opens a project's state. Reads declared secrets from the environment, so that they are redacted. */
export function openStore(read: ReadProject, request: Pick<ProjectRequest, "env" | "stateSettings" | "hooks">): RunStore {
  const declared = (read.project?.secrets ?? []).map((name) => request.env[name] ?? "");
  const values = [...declared, request.stateSettings?.stateKey ?? ""].filter((value) => value !== "");
  const redactor = createRedactor(values);
  request.hooks?.onSecrets?.(values, redactor);
  return storeAt(read.root, stateLocationIn(read.loaded.manifest), redactor, request.stateSettings);
}

/** Opens a project's state for reading. Of the manifest, which may be invalid, only the location of state is read. */
export async function openReadonlyStore(request: ProjectRequest, { root, files }: Location): Promise<ReadonlyRunStore> {
  const { env, environment, known, hooks, stateSettings } = request;
  const source = known?.source ?? diskSource(root);
  const location =
    known?.read === undefined
      ? await findStateLocation({ files, ...defined({ environment }), env, source })
      : stateLocationIn(known.read.loaded.manifest);
  const redactor = createRedactor([]);
  hooks?.onSecrets?.([], redactor);
  return storeAt(root, location, redactor, stateSettings);
}

function storeAt(root: string, location: string | undefined, redactor: Redactor, settings: StateSettings = {}): RunStore {
  const { fetchBlob, stateKey } = settings;
  const stateRoot = path.resolve(root, location ?? defaultStateLocation);
  const stateDir = settings.stateDir ?? stateRoot;
  closeExistingState(stateDir);
  const local = localBlobs(stateDir);
  const blobs = fetchBlob === undefined ? local : withFallback(local, fetchBlob);
  const signed = stateKey === undefined ? {} : { stateKey };
  return { stateDir, stateRoot, redactor, blobs, state: openState({ stateDir, redactor, version, clock: systemClock, ...signed }) };
}

/** The validated project, or its diagnostics as a failure. */
export function requireValid(read: ReadProject): Result<ValidatedProject> {
  if (read.project === undefined || hasErrors(read.diagnostics)) return err({ reason: "manifest-invalid", diagnostics: read.diagnostics });
  return ok(read.project);
}

/** Reads a located project, selects a pipeline and opens the state. Fails with `manifest-invalid`, or `usage` for an unknown pipeline. */
export async function openProject(
  request: ProjectRequest,
  location: Location,
  pipelineName: string | undefined,
): Promise<Result<OpenProject & { readonly pipeline: Pipeline }>> {
  const read = await readProject(request, location);
  if (!read.ok) return read;
  return openReadProject(request, read.value, pipelineName);
}

/** `openProject` for a project that is read already. */
export function openReadProject(
  request: ProjectRequest,
  read: ReadProject,
  pipelineName: string | undefined,
): Result<OpenProject & { readonly pipeline: Pipeline }> {
  const project = requireValid(read);
  if (!project.ok) return project;
  const pipeline = selectPipeline(project.value, pipelineName);
  if (!pipeline.ok) return pipeline;
  const store = openStore(read, request);
  const adapters = openAdapters(request, read.root);
  return ok({ read, project: project.value, store, env: request.env, adapters, pipeline: pipeline.value });
}
