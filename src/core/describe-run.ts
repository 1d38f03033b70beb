/** In words: how a run as a whole came to an end that is no pass. */
import { defined } from "./defined.ts";
import type { Description } from "./describe-changes.ts";
import type { RunFailure } from "./failure.ts";
import { unreachable } from "./result.ts";

const permissionHint = "give the job's token the permission that this needs; docs/workflows.md lists them";

/** What happened to the run, and what to do next. */
export function describeRunFailure(failure: RunFailure): Description {
  switch (failure.reason) {
    case "git-outdated":
      return {
        title: `git ${failure.version} is older than ${failure.oldest}, the oldest version that Wave supports, so nothing was started`,
        detail: [],
        hint: `install git ${failure.oldest} or newer, and put it first on PATH`,
      };
    case "cancelled":
      return { title: `cancelled by ${failure.by}`, detail: [], hint: "`wave resume` goes on from here" };
    case "github-failed": {
      const isRefused = (failure.status === 403 || failure.status === 404) && failure.limited !== true;
      const hint = failure.hint ?? (isRefused ? permissionHint : undefined);
      return {
        title:
          failure.status === undefined ? `wave could not ${failure.doing}` : `GitHub did not let wave ${failure.doing} (${failure.status})`,
        detail: [failure.detail],
        ...defined({ hint }),
      };
    }
    case "publish-refused":
      return { title: `artifact \`${failure.artifact}\` cannot be published`, detail: [failure.detail] };
    case "owner-unsupported":
      return {
        title: "steps of root cannot use this project's files in the sandbox, so nothing was started",
        detail: [failure.detail],
        hint: "run wave as the owner of the files, or write `sandbox: off` at the top of the manifest to run without that protection",
      };
    case "run-failed":
      return {
        title: `run ${failure.run} failed`,
        detail: failure.steps.map((step) => `step \`${step}\` failed`),
        hint: `\`wave status ${failure.run}\` shows why`,
      };
    case "dependency-open":
      return {
        title: `step \`${failure.step}\` waits for \`${failure.dependency}\`, which has not passed in ${failure.run === undefined ? "a new run" : `run ${failure.run}`}`,
        detail: [],
        hint: `execute \`${failure.dependency}\` first, or name it among the steps too; in a workflow, let this job \`needs:\` the one that executes it`,
      };
    case "rolled-back":
      return {
        title: `it was rolled back to step \`${failure.to}\``,
        detail: failure.steps.map((step) => `step \`${step}\` has to run again`),
        hint: "`wave resume` goes on from here",
      };
    default:
      return unreachable(failure);
  }
}
