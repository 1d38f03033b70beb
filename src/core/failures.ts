/** The table of failure reasons: exit code, retry class and description. A reason without an entry does not compile. */
import { describeDenial } from "./denial.ts";
import type { Failure, FailureReason } from "./failure.ts";
import type { Description, ExitCode, FailureKind, FailureKinds, RetryClass } from "./failure-kind.ts";
import { agentFailures } from "./failures/agent.ts";
import { artifactFailures } from "./failures/artifacts.ts";
import { changeFailures } from "./failures/changes.ts";
import { contractFailures } from "./failures/contracts.ts";
import { processFailures } from "./failures/process.ts";
import { runFailures } from "./failures/run.ts";
import { setupFailures } from "./failures/setup.ts";
import { stateFailures } from "./failures/state.ts";

const failures: FailureKinds<FailureReason> = {
  ...setupFailures,
  ...stateFailures,
  ...processFailures,
  ...agentFailures,
  ...artifactFailures,
  ...changeFailures,
  ...contractFailures,
  ...runFailures,
};

/** The table, for a failure whose reason is known only at run time. */
const byReason: Readonly<Record<FailureReason, FailureKind<Failure>>> = failures;

/** The process's exit status for a failure. */
export function exitCodeOf({ reason }: Failure): ExitCode {
  return byReason[reason].exit;
}

/** The rule that decides whether an attempt with this failure is retried. */
export function retryClassOf(failure: Failure): RetryClass {
  const kind = byReason[failure.reason];
  return kind.retryOf?.(failure) ?? kind.retry;
}

/** The failure as text: what happened, where, and what to do next. */
export function describeFailure(failure: Failure): Description {
  const description = byReason[failure.reason].describe(failure);
  const denied = (failure.denied ?? []).map(describeDenial);
  return denied.length === 0 ? description : { ...description, detail: [...denied, ...description.detail] };
}
