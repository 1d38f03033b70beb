/** Failures of agents in words. */

import { formatDuration } from "../text/quantity.ts";
import type { Description } from "./describe-changes.ts";
import { renameHint } from "./describe-exit.ts";
import type { Failure } from "./failure.ts";
import { unreachable } from "./result.ts";
import { costText } from "./usage.ts";

export type AgentFailure = Extract<Failure, { reason: "agent-failed" | "budget-exceeded" | "recording-missing" }>;

/** `outputLines` gives the end of a child's output as lines that stand apart. */
export function describeAgentFailure(failure: AgentFailure, outputLines: (tail: string) => string[]): Description {
  switch (failure.reason) {
    case "agent-failed": {
      const status = failure.status === undefined ? "" : ` (HTTP ${failure.status})`;
      return {
        title: `${titles[failure.kind]}${status}`,
        detail: [failure.detail, ...outputLines(failure.tail)],
        ...renameHint(failure.tail),
        ...hints[failure.kind],
      };
    }
    case "budget-exceeded": {
      const { what, limit, used, of } = failure;
      const key = what === "time" ? "timeout" : `max_${what}`;
      return {
        title: `the ${of ?? "attempt"} ${what === "time" ? "took" : "used"} ${amount(what, used)}, more than its budget of ${amount(what, limit)}`,
        detail: [],
        hint:
          of === "run"
            ? `raise \`budget.${key}\` of the pipeline, and go on with \`wave resume --update\``
            : `raise \`resources.${key}\` of the step or persona, or make the task smaller`,
      };
    }
    case "recording-missing": {
      const { step, attempt, detail, hint } = failure;
      return { title: `attempt ${attempt} of step \`${step}\` has no recording`, detail: [detail], hint };
    }
    default:
      return unreachable(failure);
  }
}

function amount(what: Extract<Failure, { reason: "budget-exceeded" }>["what"], value: number): string {
  if (what === "time") return formatDuration(value);
  return what === "cost" ? costText(value) : `${value.toLocaleString("en-US")} ${what}`;
}

type Kind = Extract<Failure, { reason: "agent-failed" }>["kind"];

const titles: Readonly<Record<Kind, string>> = {
  auth: "the model refused the agent's key",
  "rate-limit": "the model takes no more requests for now",
  network: "the model could not be reached, or failed",
  config: "the agent or its model is not set up as it has to be",
  crash: "the agent ended without an answer",
};

const hints: Readonly<Record<Kind, { readonly hint?: string }>> = {
  auth: { hint: "check that the secret is set, and holds a key that is still good" },
  "rate-limit": { hint: "`wave resume` goes on from here once the limit has passed" },
  network: { hint: "`wave resume` goes on from here; `adapters.<name>.base_url` names another endpoint" },
  config: { hint: "check the persona's `model`, and `adapters.<name>`" },
  crash: {},
};
