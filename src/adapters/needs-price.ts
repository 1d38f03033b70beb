/** A budget in dollars on an agent that does not tell what it costs. */
import type { Step } from "../core/pipeline.ts";
import type { NoProgram } from "./agent-program.ts";
import type { AgentName } from "./detect-agents.ts";

/** `max_cost` can be held to only where the manifest, or the list of published prices, says what the model costs. */
export function needsPrice(agent: AgentName | "api"): (step: Step) => NoProgram | undefined {
  return ({ resources, adapter }) =>
    resources.maxCostUsd === undefined || adapter?.price !== undefined
      ? undefined
      : {
          detail: `adapter \`${agent}\` does not tell what it costs, and its model has no known price, so \`max_cost\` cannot be held to`,
          hint: `give its model a price below \`adapters.${agent}.prices\`, or bound it by \`max_tokens\` and \`max_turns\``,
        };
}
