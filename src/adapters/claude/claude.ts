/** The `claude` adapter: runs Claude Code non-interactively. */
import path from "node:path";
import type { Adapter } from "../../core/ports.ts";
import { claudePackage } from "../agent-versions.ts";
import { agentKeys } from "../detect-agents.ts";
import { type AgentSetting, agentAdapter } from "../run-agent.ts";
import { claudeArgs } from "./args.ts";
import { claudeFailure } from "./outcome.ts";
import { claudeStream } from "./stream.ts";

/** Turns off telemetry and updates, and limits retries, which could otherwise take minutes. */
const quiet = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_AUTOUPDATER: "1",
  DISABLE_TELEMETRY: "1",
  DISABLE_ERROR_REPORTING: "1",
  CLAUDE_CODE_MAX_RETRIES: "2",
};

export function claudeAdapter(setting: AgentSetting): Adapter {
  return agentAdapter(
    {
      name: "claude",
      package: claudePackage,
      keys: agentKeys.claude,
      args: claudeArgs,
      variables: ({ adapter }, { temp }) => ({
        ...quiet,
        CLAUDE_CONFIG_DIR: path.posix.join(temp, "claude"),
        ...(adapter?.baseUrl === undefined ? {} : { ANTHROPIC_BASE_URL: adapter.baseUrl }),
      }),
      openStream() {
        const stream = claudeStream();
        return {
          push: stream.push,
          usage: stream.usage,
          fatalError: () => undefined,
          failure: (end) => claudeFailure(end, stream.result()),
          finalMessage: () => stream.result()?.text,
        };
      },
    },
    setting,
  );
}
