/**
 * Gives each attempt its workspace: the project itself for steps that run in place, a tree of its own for all others. What isolation
 * needs is loaded when the first step asks for it.
 */
import { wantsIsolation } from "../core/enforcement.ts";
import type { BlobStore, Redactor, WorkspaceProvider } from "../core/ports.ts";
import type { Isolation } from "../sandbox/isolation.ts";
import type { BaseFiles } from "./base.ts";
import type { IsolatedProvider } from "./isolated.ts";
import { sharedProvider } from "./shared.ts";

/** What workspaces are made of. `root` and `stateDir` are absolute. */
export interface WorkspaceSetting {
  readonly root: string;
  readonly stateDir: string;
  /** Where the project keeps state, which no workspace shows; absent: `stateDir`. */
  readonly stateRoot?: string;
  /** The environment of the wave process; PATH, HOME and LANG are taken from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isolation: Isolation;
  readonly blobs: BlobStore;
  readonly redactor: Redactor;
  /** The project's files as they were when the run was planned; undefined if nothing but the run can change the project. */
  readonly files?: BaseFiles;
  /** Milliseconds between SIGTERM and SIGKILL; 2000 by default. */
  readonly graceMs?: number;
}

/** A provider for all steps of a run. Opening fails with `workspace-failed`. */
export function workspaceProvider(setting: WorkspaceSetting): WorkspaceProvider {
  const shared = sharedProvider(setting);
  let isolated: Promise<IsolatedProvider> | undefined;
  return {
    name: "workspace",
    async open(request) {
      // What it changes in the project is the run's own.
      if (request.step.workspace === "shared") (await isolated)?.forgetStart();
      if (!wantsIsolation(request.step)) return shared.open(request);
      isolated ??= import("./isolated.ts").then(({ isolatedProvider }) => isolatedProvider(setting));
      return (await isolated).open(request);
    },
  };
}
