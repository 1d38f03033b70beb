/** The `codex` adapter: a persona that is OpenAI's Codex, without a terminal. */
import type { Adapter } from "../model/ports.ts";
import { codexPackage } from "./agent-versions.ts";
import { agentKeys } from "./agents-here.ts";
import { codexStream } from "./codex-stream.ts";
import { codexWords } from "./codex-words.ts";
import { type AgentSetting, agentAdapter } from "./run-agent.ts";

export function codexAdapter(setting: AgentSetting): Adapter {
  return agentAdapter(
    {
      name: "codex",
      package: codexPackage,
      keys: agentKeys.codex,
      words: codexWords,
      // It wants a directory that is there.
      variables: (_step, { temp }) => ({ CODEX_HOME: temp }),
      openStream: codexStream,
      limitation: ({ resources, adapter }) =>
        resources.maxCostUsd === undefined || adapter?.price !== undefined
          ? undefined
          : {
              detail: "adapter `codex` does not tell what it costs, so `max_cost` cannot be held to",
              hint: "give its model a price below `adapters.codex.prices`, or bound it by `max_tokens` and `max_turns`",
            },
    },
    setting,
  );
}
