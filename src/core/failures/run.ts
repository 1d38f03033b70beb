/** Failures of a run as a whole, and of GitHub. */
import { defined } from "../defined.ts";
import type { FailureKinds } from "../failure-kind.ts";

const permissionHint = "grant the job's token the permission for this; docs/workflows.md lists them";

export const runFailures: FailureKinds<
  "cancelled" | "run-failed" | "github-failed" | "publish-refused" | "dependency-open" | "rolled-back"
> = {
  cancelled: {
    exit: 130,
    retry: "never",
    describe: ({ by }) => ({ title: `cancelled by ${by}`, detail: [], hint: "run `wave resume` to continue the run" }),
  },
  "run-failed": {
    exit: 1,
    retry: "never",
    describe: ({ run, steps }) => ({
      title: `run ${run} failed`,
      detail: steps.map((step) => `step \`${step}\` failed`),
      hint: `run \`wave status ${run}\` to see why`,
    }),
  },
  "github-failed": {
    exit: 1,
    retry: "never",
    describe({ status, limited, hint, doing, detail }) {
      const isRefused = (status === 403 || status === 404) && limited !== true;
      return {
        title: `wave could not ${doing}${status === undefined ? "" : ` (HTTP ${status} from GitHub)`}`,
        detail: [detail],
        ...defined({ hint: hint ?? (isRefused ? permissionHint : undefined) }),
      };
    },
  },
  "publish-refused": {
    exit: 1,
    retry: "never",
    describe: ({ artifact, detail }) => ({
      title: `cannot publish artifact \`${artifact}\``,
      detail: [detail],
      hint: "docs/workflows.md describes the content that each kind of publication needs",
    }),
  },
  "dependency-open": {
    exit: 1,
    retry: "never",
    describe: ({ step, dependency, run }) => ({
      title: `step \`${step}\` depends on \`${dependency}\`, which has not passed in ${run === undefined ? "a new run" : `run ${run}`}`,
      detail: [],
      hint: `execute \`${dependency}\` first, or add it to the selected steps; in a workflow, add the job that executes it to \`needs:\` of this job`,
    }),
  },
  "rolled-back": {
    exit: 1,
    retry: "never",
    describe: ({ to, steps }) => ({
      title: `the run was rolled back to step \`${to}\``,
      detail: steps.map((step) => `step \`${step}\` has to run again`),
      hint: "run `wave resume` to continue the run",
    }),
  },
};
