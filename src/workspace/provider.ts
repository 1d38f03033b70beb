/**
 * Provides each attempt with a workspace: the project itself for steps that run in place, a separate tree for all others.
 * The code for isolation is loaded when the first step needs it.
 */
import { wantsIsolation } from "../core/enforcement.ts";
import type { WorkspaceProvider } from "../core/ports.ts";
import type { WorkspaceSetting } from "./attempt-tree.ts";
import type { IsolatedProvider } from "./isolated.ts";
import { sharedProvider } from "./shared.ts";

/** A provider for all steps of a run. Opening fails with `workspace-failed`. */
export function workspaceProvider(setting: WorkspaceSetting): WorkspaceProvider {
  const shared = sharedProvider(setting);
  let isolated: Promise<IsolatedProvider> | undefined;
  return {
    name: "workspace",
    async open(request) {
      // Changes that this step makes to the project belong to the run.
      if (request.step.workspace === "shared") (await isolated)?.forgetStart();
      if (!wantsIsolation(request.step)) return shared.open(request);
      isolated ??= import("./isolated.ts").then(({ isolatedProvider }) => isolatedProvider(setting));
      return (await isolated).open(request);
    },
  };
}
