/**
 * The first chapter of the spine: from a command's words to a project that holds. Load → validate, then state, opened
 * with the declared secrets known, so that nothing is ever stored unscrubbed.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { defaultAgent } from "../adapters/detect-agents.ts";
import { localBlobs } from "../blobs/local-blobs.ts";
import { type BlobFetcher, withFallback } from "../blobs/with-fallback.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { hasErrors, sortDiagnostics } from "../core/diagnostic.ts";
import { defaultStateLocation } from "../core/limits.ts";
import type { LoadedProject, ValidatedProject } from "../core/loaded.ts";
import { type AdapterName, adapterNames } from "../core/names.ts";
import type { BlobStore, FileSource, Redactor, StateStore, TrustedFiles } from "../core/ports.ts";
import { err, ok, type Result } from "../core/result.ts";
import { version } from "../core/version.ts";
import { diskSource } from "../manifest/load/disk-source.ts";
import { loadProject } from "../manifest/load/load-project.ts";
import { collectSecretNames, secretNamesInText } from "../manifest/load/secret-names.ts";
import { findStateLocation, stateLocationIn } from "../manifest/load/state-location.ts";
import type { ValidateOptions } from "../manifest/validate/scope.ts";
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

export type Environment = Readonly<Record<string, string | undefined>>;

/** Which project, and how it is read. */
export interface ProjectRequest {
  readonly cwd: string;
  readonly env: Environment;
  /** `-f`, relative to `cwd`. If empty, `wave.yaml` or `wave.yml` in `cwd` or a parent in the same repository. */
  readonly files: readonly string[];
  readonly environment?: string;
  readonly adapter?: string;
  /** Where the manifest and the files that it names are read; absent: the disk. */
  readonly source?: FileSource;
  /** The trusted source, if that is a commit. Undefined if it is the base of the run. */
  readonly trustedFiles?: TrustedFiles;
  /** The project's place, if it is known; undefined if the manifest is to be found. */
  readonly location?: Location;
  /** The project, where it was read already; absent: it is read. */
  readonly read?: ReadProject;
  /** Where its runs are remembered, absolute; absent: where the manifest says. */
  readonly stateDir?: string;
  /** For the adapter `replay`: the recording, absolute; absent: the one that the manifest names. */
  readonly recordings?: string;
  /** A look at its files that was begun before; absent: it is begun when it is needed. */
  readonly listing?: ProjectListing;
  /** Told, in a sentence, of what takes long before any step begins: an agent that is installed. */
  readonly announce?: (text: string) => void;
  /** Told, in a sentence, of what is not as somebody may think. */
  readonly warn?: (text: string) => void;
  /** Cancels reading the project. Defaults to none. */
  readonly signal?: AbortSignal;
  /** Gets the values of declared secrets once they are known, also of a manifest that does not hold, and a redactor for them where one was made. */
  readonly onSecrets?: (values: readonly string[], redactor?: Redactor) => void;
  /** Brings blobs that are not in the local store; absent: they are lost. */
  readonly fetchBlob?: BlobFetcher;
  /** Signs journals. A secret: it is redacted everywhere, and no child gets it. */
  readonly stateKey?: string;
}

/** A project, its manifest files relative to its root. */
export interface Location {
  readonly root: string;
  readonly files: readonly string[];
}

/** A project whose manifest was read; `project` is absent when a diagnostic forbids going on. */
export interface ReadProject extends Location {
  readonly environment?: string;
  readonly adapter?: AdapterName;
  readonly loaded: LoadedProject;
  readonly project?: ValidatedProject;
  readonly diagnostics: readonly Diagnostic[];
}

/** Where runs are remembered, with the secrets known. */
export interface RunStore {
  readonly stateDir: string;
  /** Where the project keeps state: the same, or a directory above it. No part of any workspace. */
  readonly stateRoot: string;
  readonly state: StateStore;
  readonly blobs: BlobStore;
  readonly redactor: Redactor;
}

/** What is remembered, for those who only read it: no secret need be known to them, since they store nothing. */
export interface ReadonlyRunStore extends Pick<RunStore, "stateDir" | "blobs"> {
  readonly state: Omit<StateStore, "openJournal">;
}

/**
 * Finds the manifest: the named files, else `wave.yaml` or `wave.yml` in `cwd` or the nearest parent in the same repository. The project's root
 * is the directory of the first file, without symbolic links.
 */
export function locateProject(request: ProjectRequest): Result<Location> {
  if (request.location !== undefined) return ok(request.location);
  const { cwd } = request;
  const named = request.files.map((file) => path.resolve(cwd, file));
  const isHere = named.length > 0 || manifestsIn(cwd).length > 0;
  const searched = isHere ? [cwd] : searchedDirectories(cwd);
  const found = named.length > 0 ? named : searched.flatMap(manifestsIn).slice(0, 1);
  const first = found[0];
  if (first === undefined) {
    // Node replaces bytes that are not UTF-8 in the path of the working directory.
    if (cwd.includes("\uFFFD") && !existsSync(cwd))
      return err({
        reason: "usage",
        message: `the path ${cwd} is not UTF-8, which Wave needs`,
        hint: "rename the directory, or mount it at another path",
      });
    const parents = searched.length > 1 ? ` or its parents up to ${searched.at(-1)}` : "";
    return err({
      reason: "usage",
      message: `no wave.yaml in ${cwd}${parents}`,
      hint: "name a manifest with -f, or change to its directory with -C",
    });
  }
  const root = realDirectory(first);
  const fromRoot = (file: string) => path.relative(root, path.join(realDirectory(file), path.basename(file)));
  return ok({ root, files: found.map((file) => fromRoot(file).split(path.sep).join("/")) });
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

function manifestsIn(directory: string): readonly string[] {
  return ["wave.yaml", "wave.yml"].map((name) => path.join(directory, name)).filter(existsSync);
}

/** Where a file's directory really lies: by a link to it git and the kernel would name it otherwise. Of one that is not there, reading will tell. */
function realDirectory(file: string): string {
  const directory = path.dirname(file);
  return realPlace(directory) ?? directory;
}

/** Load → validate. Fails only where there is nothing to validate; problems in the manifest are diagnostics. `source`: other than the request's. */
export async function readProject(request: ProjectRequest, location: Location, source?: FileSource): Promise<Result<ReadProject>> {
  if (source === undefined && request.read !== undefined) return ok(request.read);
  const adapter = adapterNames.find((known) => known === request.adapter);
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
    source: warming(source ?? request.source ?? diskSource(location.root)),
  });
  request.onSecrets?.(declaredIn(loaded, request.env));
  const chosen = adapter === undefined ? {} : { adapter };
  const here = defaultAgent(request.env);
  const means = here === undefined ? {} : { adapterHere: here };
  const { signal } = request;
  const checkContract: ValidateOptions["checkContract"] = async (contract, files) =>
    (await contractTypes.get(contract.type)?.check(contract, files, signal)) ?? [];
  const validated = await validateProject(withLiteralTokens(loaded), { ...chosen, ...means, library: personaLibrary, checkContract });
  if (signal?.aborted) return err({ reason: "cancelled", by: String(signal.reason) });
  return ok({ ...location, ...overlay, ...chosen, loaded, ...validated });
}

/** Adds an error for each token in the text of a file: every one of these files is pinned when a run starts. */
function withLiteralTokens(loaded: LoadedProject): LoadedProject {
  const tokens = literalTokens(loaded.files.values());
  return tokens.length === 0 ? loaded : { ...loaded, diagnostics: sortDiagnostics([...loaded.diagnostics, ...tokens]) };
}

/** Starts the evaluation thread as soon as a file mentions a contract that needs it: loading goes on meanwhile. */
function warming(source: FileSource): FileSource {
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

/** The values of the secrets that a manifest declares, whether or not it holds. */
function declaredIn({ manifest, files }: LoadedProject, env: Environment): readonly string[] {
  const names = new Set<string>();
  if (manifest !== undefined) collectSecretNames(manifest, names);
  else for (const file of files.values()) if (file.kind === "text") for (const name of secretNamesInText(file.text)) names.add(name);
  return [...names].map((name) => env[name] ?? "").filter((value) => value !== "");
}

/** Opens state for a project; declared secrets are taken from the environment so that they can be scrubbed. */
export function openStore(
  read: ReadProject,
  request: Pick<ProjectRequest, "env" | "fetchBlob" | "stateDir" | "stateKey" | "onSecrets">,
): RunStore {
  const declared = (read.project?.secrets ?? []).map((name) => request.env[name] ?? "");
  const values = [...declared, request.stateKey ?? ""].filter((value) => value !== "");
  const redactor = createRedactor(values);
  request.onSecrets?.(values, redactor);
  return storeAt(read.root, stateLocationIn(read.loaded.manifest), redactor, request);
}

/** The same for those who only read it: of the manifest, which need not hold, only where state lies is looked for. */
export async function openReadonlyStore(request: ProjectRequest, { root, files }: Location): Promise<ReadonlyRunStore> {
  const overlay = request.environment === undefined ? {} : { environment: request.environment };
  const source = request.source ?? diskSource(root);
  const location =
    request.read === undefined
      ? await findStateLocation({ files, ...overlay, env: request.env, source })
      : stateLocationIn(request.read.loaded.manifest);
  const redactor = createRedactor([]);
  request.onSecrets?.([], redactor);
  return storeAt(root, location, redactor, request);
}

function storeAt(
  root: string,
  location: string | undefined,
  redactor: Redactor,
  { fetchBlob, stateDir: own, stateKey }: Pick<ProjectRequest, "fetchBlob" | "stateDir" | "stateKey">,
): RunStore {
  const stateRoot = path.resolve(root, location ?? defaultStateLocation);
  const stateDir = own ?? stateRoot;
  closeExistingState(stateDir);
  const local = localBlobs(stateDir);
  const blobs = fetchBlob === undefined ? local : withFallback(local, fetchBlob);
  const signed = stateKey === undefined ? {} : { stateKey };
  return { stateDir, stateRoot, redactor, blobs, state: openState({ stateDir, redactor, version, clock: systemClock, ...signed }) };
}

/** The project, or the diagnostics that forbid going on. */
export function requireValid(read: ReadProject): Result<ValidatedProject> {
  if (read.project === undefined || hasErrors(read.diagnostics)) return err({ reason: "manifest-invalid", diagnostics: read.diagnostics });
  return ok(read.project);
}
