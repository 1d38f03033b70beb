/** Workspaces without a disk: they remember what they were opened with and how they were given back. */
import type { Changeset } from "../../src/core/changeset.ts";
import type { OpenWorkspace, Workspace, WorkspacePaths, WorkspaceProvider } from "../../src/core/ports.ts";
import { ok } from "../../src/core/result.ts";

export interface MemoryWorkspaces extends WorkspaceProvider {
  readonly opened: readonly (OpenWorkspace & { readonly prompt: string })[];
  /** `STEP.ATTEMPT passed` or `failed`. */
  readonly discarded: readonly string[];
}

export function memoryWorkspaces(changesOf: (step: string, attempt: number) => Changeset = () => []): MemoryWorkspaces {
  const opened: (OpenWorkspace & { readonly prompt: string })[] = [];
  const discarded: string[] = [];
  return {
    name: "memory",
    opened,
    discarded,
    async open(request) {
      const paths = pathsOf(request);
      opened.push({ ...request, prompt: request.task(paths) });
      const changes = changesOf(request.step.id, request.attempt);
      return ok(workspace(paths, changes, (outcome) => void discarded.push(`${request.step.id}.${request.attempt} ${outcome}`)));
    },
  };
}

function workspace(paths: WorkspacePaths, changes: Changeset, discard: (outcome: "passed" | "failed") => void): Workspace {
  return {
    paths,
    spawn: async () => ({ kind: "not-started", code: "ENOSYS", detail: "no children here" }),
    read: async () => ok(new Uint8Array()),
    list: async () => ok([]),
    write: async () => ({ ok: true, value: undefined }),
    changeset: async () => ok({ changes, ignored: [] }),
    discard: async (outcome) => discard(outcome),
  };
}

function pathsOf(request: OpenWorkspace): WorkspacePaths {
  const base = `/workspaces/${request.runId}/${request.step.id}/${request.attempt}`;
  return {
    root: "/project",
    inputs: `${base}/inputs`,
    output: `${base}/output`,
    taskFile: `${base}/task.md`,
    home: `${base}/home`,
    temp: `${base}/tmp`,
  };
}
