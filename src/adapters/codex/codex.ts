/** The `codex` adapter: runs OpenAI's Codex non-interactively. */
import type { Adapter } from "../../core/ports.ts";
import { codexPackage } from "../agent-versions.ts";
import { agentKeys } from "../detect-agents.ts";
import { needsPrice } from "../needs-price.ts";
import { type AgentSetting, agentAdapter } from "../run-agent.ts";
import { codexArgs } from "./args.ts";
import { codexStream } from "./stream.ts";

export function codexAdapter(setting: AgentSetting): Adapter {
  return agentAdapter(
    {
      name: "codex",
      package: codexPackage,
      keys: agentKeys.codex,
      args: codexArgs,
      // `CODEX_HOME` must exist.
      variables: (_step, { temp }) => ({ CODEX_HOME: temp }),
      openStream: codexStream,
      limitation: needsPrice("codex"),
    },
    setting,
  );
}
