/** Implements the calls with `@actions/artifact` and `@actions/cache`, in the toolkit's thread. The first call of a client loads it. */

import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { defined } from "../../core/defined.ts";
import { withWarning } from "./client-warnings.ts";
import type { ToolkitCall, ToolkitCalls, ToolkitProblem } from "./toolkit-calls.ts";

type Calls = { readonly [C in ToolkitCall]: (input: ToolkitCalls[C]["input"]) => Promise<ToolkitCalls[C]["output"]> };

/** A failure with a code chosen here. */
class CallProblem extends Error {
  readonly code: ToolkitProblem["code"];
  constructor(code: ToolkitProblem["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** The implementations. They reject with errors for `problemOf`. */
export const toolkitClients: Calls = {
  async uploadArtifact({ name, root, files, retentionDays }) {
    const client = await artifactClient();
    const uploaded = await client.uploadArtifact(name, [...files], root, retentionDays === undefined ? {} : { retentionDays });
    return { id: uploaded.id ?? 0, size: uploaded.size ?? 0 };
  },
  async listArtifacts({ from }) {
    const client = await artifactClient();
    const { artifacts } = await client.listArtifacts({ latest: true, ...elsewhere(from) });
    return artifacts.map(({ id, name, size, digest, createdAt }) => ({
      id,
      name,
      size,
      ...defined({ digest }),
      ...(createdAt === undefined ? {} : { createdAt: createdAt.toISOString() }),
    }));
  },
  async downloadArtifact({ id, directory, digest, from }) {
    const client = await artifactClient();
    await mkdir(directory, { recursive: true });
    const expected = digest === undefined ? {} : { expectedHash: digest };
    const { digestMismatch } = await client.downloadArtifact(id, {
      path: directory,
      skipDecompress: true,
      ...expected,
      ...elsewhere(from),
    });
    if (digestMismatch === true) throw new CallProblem("altered", "its bytes do not match the uploaded ones");
    const [file] = await readdir(directory);
    if (file === undefined) throw new CallProblem("not-found", "the service returned no file");
    return { file: path.join(directory, file) };
  },
  findCache: (input) => restore(input, true),
  restoreCache: (input) => intoDirectory(input.root, () => restore(input, false)),
  async saveCache({ path: place, key }) {
    const client = await cacheClient();
    const { value: id, warning } = await withWarning(/^(?:Failed to save|Cache reservation failed|Unable to finalize)/, () =>
      client.saveCache([place], key),
    );
    if (id !== -1) return { saved: true };
    // The client returns the same for a refused save and a duplicate.
    const stored = await client.restoreCache([place], key, [], { lookupOnly: true });
    return { saved: stored === key, ...because(warning) };
  },
};

/**
 * Options for GNU tar, from TAR_OPTIONS: remove `..` and the first slash of names, and break links. The client unpacks with `tar -P`, which
 * follows links and names out of the directory. https://www.gnu.org/software/tar/manual/html_section/transform.html
 */
const containedTar = [
  "--transform=flags=r;s,[.][.],__,g",
  "--transform=flags=r;s,^/,_/,",
  "--transform=flags=sh;s,.*,refused,",
  "--no-same-owner",
].join(" ");

/** Makes the client unpack into `root`: it uses GITHUB_WORKSPACE, which only this thread's environment changes. */
async function intoDirectory<T>(root: string, work: () => Promise<T>): Promise<T> {
  const { GITHUB_WORKSPACE: workspace, TAR_OPTIONS: options } = process.env;
  Object.assign(process.env, { GITHUB_WORKSPACE: root, TAR_OPTIONS: containedTar });
  try {
    return await work();
  } finally {
    for (const [name, value] of Object.entries({ GITHUB_WORKSPACE: workspace, TAR_OPTIONS: options })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

async function restore(
  { path: place, key, restoreKeys }: ToolkitCalls["findCache"]["input"],
  lookupOnly: boolean,
): Promise<ToolkitCalls["restoreCache"]["output"]> {
  const client = await cacheClient();
  const { value: restored, warning } = await withWarning(/^Failed to restore/, () =>
    client.restoreCache([place], key, [...restoreKeys], { lookupOnly }),
  );
  return restored === undefined ? because(warning) : { key: restored };
}

/** The client's warning: it does not throw if it fails. */
function because(warning: string | undefined) {
  return warning === undefined ? {} : { because: warning };
}

/** Classifies an error of a client. */
export function problemOf(error: unknown): ToolkitProblem {
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof CallProblem) return { code: error.code, detail };
  const name = error instanceof Error ? error.name : "";
  if (name === "GHESNotSupportedError") return { code: "unavailable", detail };
  if (name === "ArtifactNotFoundError" || /\b404\b/.test(detail)) return { code: "not-found", detail };
  if (/\(409\)|\b409\b|already exists/i.test(detail)) return { code: "conflict", detail };
  return { code: "failed", detail };
}

async function artifactClient() {
  needs("ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL");
  const { DefaultArtifactClient } = await import("@actions/artifact");
  return new DefaultArtifactClient();
}

async function cacheClient() {
  needs("ACTIONS_RUNTIME_TOKEN");
  const client = await import("@actions/cache");
  if (!client.isFeatureAvailable()) throw new CallProblem("unavailable", "the runner has no cache service");
  return client;
}

function needs(...names: readonly string[]): void {
  const missing = names.find((name) => (process.env[name] ?? "") === "");
  if (missing !== undefined) throw new CallProblem("unavailable", `the runner did not set ${missing}`);
}

function elsewhere(from: ToolkitCalls["listArtifacts"]["input"]["from"]) {
  if (from === undefined) return {};
  const { token, owner, repo, workflowRun } = from;
  return { findBy: { token, repositoryOwner: owner, repositoryName: repo, workflowRunId: workflowRun } };
}
