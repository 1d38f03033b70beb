/** Failures of contracts and of circuit breakers. */
import { counted } from "../../text/quantity.ts";
import { defined } from "../defined.ts";
import { describeContract } from "../describe-contract.ts";
import { describeExceeded } from "../exceeded-limit.ts";
import type { FailureKinds } from "../failure-kind.ts";

export const contractFailures: FailureKinds<"contract-failed" | "contract-error" | "contract-limit-exceeded" | "circuit-open"> = {
  "contract-failed": {
    exit: 1,
    retry: "failed-contracts",
    describe({ contracts }) {
      const described = contracts.filter(({ verdict }) => verdict !== "pass").map(describeContract);
      const [only] = described;
      if (only !== undefined && described.length === 1) return only;
      return {
        title: `${counted(described.length, "contract")} failed`,
        detail: described.flatMap(({ title, detail }) => [title, ...detail.map((line) => `  ${line}`)]),
        ...defined({ hint: described.find(({ hint }) => hint !== undefined)?.hint }),
      };
    },
  },
  "contract-error": {
    exit: 1,
    retry: "never",
    describe: ({ contract, detail }) => ({
      title: `contract \`${contract}\` could not be evaluated`,
      detail: [detail],
      hint: "the step's output was not checked; fix the contract, then run `wave resume --update`",
    }),
  },
  "contract-limit-exceeded": {
    exit: 1,
    retry: "never",
    describe: ({ contract, limit }) => ({
      title: `contract \`${contract}\` exceeded a limit of its evaluation`,
      detail: [describeExceeded(limit)],
      hint:
        limit.what === "size"
          ? "reduce the artifact to what later steps need"
          : "simplify the patterns and references of the schema, or reduce the artifact",
    }),
  },
  "circuit-open": {
    exit: 1,
    retry: "never",
    describe: ({ contract, persona, failed, window, retryAt }) => ({
      title: `the circuit of contract \`${contract}\` is open: ${failed} of the last ${counted(window, "attempt")} with persona \`${persona}\` failed`,
      detail: [`the next attempt is allowed after ${retryAt}`],
      hint: "fix the persona or the contract, then run `wave resume --update` (editing either resets the circuit), or pass --reset-circuit",
    }),
  },
};
