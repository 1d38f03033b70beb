/** Runs the conformance tests of providers for isolated workspaces, with overlays and copies, sandboxed and not. */
import path from "node:path";
import type { WorkspaceProvider } from "../../../src/core/ports.ts";
import { createRedactor } from "../../../src/redaction/redactor.ts";
import { probeIsolation } from "../../../src/sandbox/isolation.ts";
import { isolatedProvider } from "../../../src/workspace/isolated.ts";
import { memoryBlobs } from "../../rig/memory-blobs.ts";
import { type OnMachine, type ProviderPlace, workspaceConformance } from "../../rig/workspace-conformance.ts";

function provider(wanted: string, sandbox: "on" | "off") {
  return async ({ root, stateDir, env }: ProviderPlace): Promise<WorkspaceProvider> => {
    const isolation = await probeIsolation({ root, stateDir, env: { ...env, WAVE_ISOLATION: wanted } });
    const made = isolatedProvider({ root, stateDir, env, isolation, blobs: memoryBlobs(), redactor: createRedactor([]), graceMs: 200 });
    return { ...made, open: (request) => made.open({ ...request, step: { ...request.step, workspace: "default", sandbox } }) };
  };
}

const onMachine: OnMachine = ({ stateDir }, attempt) => {
  const room = path.join(stateDir, `workspaces/run1/one.${attempt}`);
  return { output: path.join(room, "output"), temp: path.join(room, "tmp") };
};

workspaceConformance("isolatedProvider, as this machine allows", provider("", "on"), onMachine);
workspaceConformance("isolatedProvider, in a copy", provider("copy", "on"), onMachine);
workspaceConformance("isolatedProvider, with `sandbox: off`", provider("", "off"), onMachine);
workspaceConformance("isolatedProvider, in a copy with `sandbox: off`", provider("copy", "off"), onMachine);
workspaceConformance("isolatedProvider, without a sandbox", provider("none", "on"), onMachine);
