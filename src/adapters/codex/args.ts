/**
 * A step as Codex's command line. Inside wave's sandbox its own is left off, which would not work there; outside it holds writes to the workspace and the
 * output. It has no rules for single files or commands: what it may not do is held by the sandbox, and judged afterwards. Pure.
 */
import type { Step } from "../../core/pipeline.ts";
import type { WorkspacePaths } from "../../core/ports.ts";
import { rulesOf } from "../agent-rules.ts";
import { agentKeys } from "../detect-agents.ts";

const defaultEndpoint = "https://api.openai.com/v1";

/** The words after the program's name. The prompt is its standard input. */
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
    // What a repository brings for agents is somebody's text.
    "project_doc_max_bytes=0",
    // Searches are made elsewhere, past every fence.
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
