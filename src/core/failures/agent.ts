/** Failures of agents, of the models behind them, and of recordings that replace them. */
import { counted, formatDuration } from "../../text/quantity.ts";
import { type FailureKinds, type FailureOf, outputTail, type RetryClass, renameHint } from "../failure-kind.ts";
import { costText } from "../usage.ts";

type AgentFailed = FailureOf<"agent-failed">;

export const agentFailures: FailureKinds<"agent-failed" | "budget-exceeded" | "recording-missing" | "empty-output"> = {
  "agent-failed": {
    exit: 1,
    retry: "transient",
    retryOf: ({ kind }) => retries[kind],
    describe: (failure) => ({
      title: `${titleOf(failure)}${failure.status === undefined ? "" : ` (HTTP ${failure.status})`}`,
      detail: [failure.detail, ...outputTail(failure.tail)],
      ...renameHint(failure.tail),
      ...hintOf(failure),
    }),
  },
  "budget-exceeded": {
    exit: 1,
    retry: "never",
    describe({ what, limit, used, of }) {
      const [spent, allowed] = [amount(what, used), amount(what, limit)];
      const key = what === "time" ? "timeout" : `max_${what}`;
      const more = spent === allowed ? `slightly more than its budget of ${allowed}` : `${spent}, more than its budget of ${allowed}`;
      return {
        title: `the ${of ?? "attempt"} ${what === "time" ? "took" : "used"} ${more}`,
        detail: [],
        hint:
          of === "run"
            ? `raise \`budget.${key}\` of the pipeline, then run \`wave resume --update\``
            : `raise \`resources.${key}\` of the step or persona, or make the task smaller`,
      };
    },
  },
  "recording-missing": {
    exit: 1,
    retry: "never",
    describe: ({ step, attempt, detail, hint }) => ({
      title: `attempt ${attempt} of step \`${step}\` has no recording`,
      detail: [detail],
      hint,
    }),
  },
  "empty-output": {
    exit: 1,
    retry: "any-contract",
    describe: ({ detail }) => ({ title: "the attempt exited successfully but produced nothing", detail: [detail] }),
  },
};

function amount(what: FailureOf<"budget-exceeded">["what"], value: number): string {
  if (what === "time") return formatDuration(value);
  return what === "cost" ? costText(value) : counted(value, what === "turns" ? "turn" : "token");
}

/** A bad key or setting fails again; other errors of a model may pass. */
const retries: Readonly<Record<AgentFailed["kind"], RetryClass>> = {
  auth: "never",
  config: "never",
  "rate-limit": "rate-limit",
  network: "transient",
  crash: "transient",
};

function titleOf({ kind, status }: AgentFailed): string {
  switch (kind) {
    case "auth":
      return "the model API rejected the key";
    case "rate-limit":
      return "the model API is rate limiting";
    case "network":
      return status === undefined ? "the model API could not be reached" : "the model API failed";
    case "config":
      if (status === 404) return "the model does not exist, or the key may not use it";
      return status === undefined ? "the agent does not accept its configuration" : "the model API rejected the request";
    case "crash":
      return "the agent ended without an answer";
  }
}

function hintOf({ kind, status }: AgentFailed): { readonly hint?: string } {
  switch (kind) {
    case "auth":
      return { hint: "check that the secret is set and that the key is valid" };
    case "rate-limit":
      return { hint: "run `wave resume` once the limit has passed" };
    case "network":
      return { hint: "run `wave resume` to try again, or set another endpoint with `adapters.<name>.base_url`" };
    case "config":
      return {
        hint:
          status === 404
            ? "check the spelling of the persona's `model`, which models the key may use, and `adapters.<name>.base_url`"
            : "check the persona's `model`, and `adapters.<name>`",
      };
    case "crash":
      return {};
  }
}
