/** The calls themselves, over `@actions/artifact` and `@actions/cache`. Runs in the toolkit's thread; each client is loaded by its first call. */

import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { defined } from "../../core/defined.ts";
import { withWarning } from "./client-warnings.ts";
import type { ToolkitCall, ToolkitCalls, ToolkitProblem } from "./toolkit-calls.ts";

type Calls = { readonly [C in ToolkitCall]: (takes: ToolkitCalls[C]["takes"]) => Promise<ToolkitCalls[C]["gives"]> };

/** A failure that the calls below name themselves. */
class CallProblem extends Error {
  readonly code: ToolkitProblem["code"];
  constructor(code: ToolkitProblem["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** Call → what does it. They reject; `problemOf` tells why. */
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
    if (digestMismatch === true) throw new CallProblem("altered", "its bytes are not those that were uploaded");
    const [file] = await readdir(directory);
    if (file === undefined) throw new CallProblem("not-found", "the service gave no bytes");
    return { file: path.join(directory, file) };
  },
  findCache: (takes) => restore(takes, true),
  restoreCache: (takes) => intoDirectory(takes.root, () => restore(takes, false)),
  async saveCache({ path: place, key }) {
    const client = await cacheClient();
    const { value: id, said } = await withWarning(/^(?:Failed to save|Cache reservation failed|Unable to finalize)/, () =>
      client.saveCache([place], key),
    );
    if (id !== -1) return { saved: true };
    // A refused save and a duplicate look alike.
    const found = await client.restoreCache([place], key, [], { lookupOnly: true });
    return { saved: found === key, ...because(said) };
  },
};

/**
 * The client unpacks with `tar -P`, which follows links and names that lead out of the directory. GNU tar takes further options from the environment:
 * names lose `..` and their first slash, and links lead nowhere. https://www.gnu.org/software/tar/manual/html_section/transform.html
 */
const containedTar = [
  "--transform=flags=r;s,[.][.],__,g",
  "--transform=flags=r;s,^/,_/,",
  "--transform=flags=sh;s,.*,refused,",
  "--no-same-owner",
].join(" ");

/** The client unpacks below GITHUB_WORKSPACE. This thread's environment is its own. */
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
  { path: place, key, restoreKeys }: ToolkitCalls["findCache"]["takes"],
  lookupOnly: boolean,
): Promise<ToolkitCalls["restoreCache"]["gives"]> {
  const client = await cacheClient();
  const { value: found, said } = await withWarning(/^Failed to restore/, () =>
    client.restoreCache([place], key, [...restoreKeys], { lookupOnly }),
  );
  return found === undefined ? because(said) : { key: found };
}

/** A client that could not do it says so, and does not throw. */
function because(said: string | undefined) {
  return said === undefined ? {} : { because: said };
}

/** Names an error of a client. */
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
  if (!client.isFeatureAvailable()) throw new CallProblem("unavailable", "the runner offers no cache service");
  return client;
}

function needs(...names: readonly string[]): void {
  const missing = names.find((name) => (process.env[name] ?? "") === "");
  if (missing !== undefined) throw new CallProblem("unavailable", `the runner did not set ${missing}`);
}

function elsewhere(from: ToolkitCalls["listArtifacts"]["takes"]["from"]) {
  if (from === undefined) return {};
  const { token, owner, repo, workflowRun } = from;
  return { findBy: { token, repositoryOwner: owner, repositoryName: repo, workflowRunId: workflowRun } };
}
