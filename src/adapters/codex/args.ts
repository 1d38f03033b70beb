/**
 * Builds Codex's command line for a step. Its own sandbox does not work inside Wave's, so it is switched off there; without
 * Wave's, it limits writes to the workspace and the output. Codex has no rules for single files or commands; Wave's sandbox
 * and the check of the changes enforce those. Pure.
 */
import type { Step } from "../../core/pipeline.ts";
import type { WorkspacePaths } from "../../core/ports.ts";
import { rulesOf } from "../agent-rules.ts";
import { agentKeys } from "../detect-agents.ts";

const defaultEndpoint = "https://api.openai.com/v1";

/** The arguments. The prompt is passed on standard input. */
export function codexArgs(step: Step, paths: WorkspacePaths): readonly string[] {
  const { model, baseUrl } = step.adapter ?? {};
  const key = agentKeys.codex.find((name) => step.secrets.includes(name) || step.env[name] !== undefined) ?? agentKeys.codex[0];
  const provider = [
    `name="wave"`,
    `base_url=${JSON.stringify(baseUrl ?? defaultEndpoint)}`,
    `env_key=${JSON.stringify(key)}`,
    `wire_api="responses"`,
    "request_max_retries=2",
    "stream_max_retries=2",
  ];
  const settings = [
    `model_providers.wave={${provider.join(",")}}`,
    'model_provider="wave"',
    ...["analytics.enabled=false", "check_for_update_on_startup=false", "features.apps=false", "features.plugins=false"],
    // The repository's instructions for agents are untrusted.
    "project_doc_max_bytes=0",
    // The provider runs searches outside the sandbox.
    "web_search=disabled",
  ];
  return [
    ...["exec", "--json", "--skip-git-repo-check", "--ignore-user-config", "--ignore-rules", "--ephemeral"],
    ...(model === undefined ? [] : ["-m", model]),
    ...sandboxArgs(step, paths),
    ...settings.flatMap((setting) => ["-c", setting]),
    "-",
  ];
}

function sandboxArgs(step: Step, { output, inputs }: WorkspacePaths): readonly string[] {
  if (inputs.startsWith("/wave/")) return ["--dangerously-bypass-approvals-and-sandbox"];
  const { isOpen } = rulesOf(step, "network_access");
  return [
    ...["--sandbox", "workspace-write"],
    ...["-c", `sandbox_workspace_write.writable_roots=${JSON.stringify([output])}`],
    ...["-c", `sandbox_workspace_write.network_access=${isOpen}`],
  ];
}
