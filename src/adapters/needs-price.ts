/** `max_cost` for agents that do not report their cost. */
import type { Step } from "../core/pipeline.ts";
import type { NoProgram } from "./agent-program.ts";
import type { AgentName } from "./detect-agents.ts";

/** A problem if a step sets `max_cost` and neither the manifest nor the list of published prices has its model. */
export function needsPrice(agent: AgentName | "api"): (step: Step) => NoProgram | undefined {
  return ({ resources, adapter }) =>
    resources.maxCostUsd === undefined || adapter?.price !== undefined
      ? undefined
      : {
          detail: `adapter \`${agent}\` does not report its cost, and its model has no known price, so \`max_cost\` cannot be enforced`,
          hint: `set a price for the model in \`adapters.${agent}.prices\`, or limit \`max_tokens\` and \`max_turns\` instead`,
        };
}
