/** Decides which events raise alarms. A failed attempt that is retried raises none. Pure. */

import type { WaveEvent } from "../../core/event.ts";
import { describeFailure } from "../../core/failures.ts";
import type { Alarm } from "./alert-bodies.ts";

/** The alarms that an event raises. `failedBefore`: whether the run, or the one before it, had failed. */
export function alarmsOf(event: WaveEvent, pipeline: string, failedBefore: boolean): readonly Alarm[] {
  const alarm = (reason: Alarm["reason"], subject: string, text: string): Alarm => ({
    reason,
    subject,
    text,
    at: event.ts,
    run: event.run,
    pipeline,
  });
  switch (event.type) {
    case "attempt-failed": {
      if (event.retry !== undefined) return [];
      const { failure, step } = event;
      const { title } = describeFailure(failure);
      if (failure.reason === "timeout") return [alarm("step-timeout", step, `step ${step}: ${title}`)];
      if (failure.reason !== "contract-failed") return [];
      return failure.contracts.map(({ name, violations }) =>
        alarm(
          "contract-failed",
          `${step}/${name}`,
          `contract ${name} of step ${step} failed: ${violations[0]?.message ?? "no reason was given"}`,
        ),
      );
    }
    case "circuit-opened":
      return [
        alarm(
          "circuit-open",
          `${event.step}/${event.contract}`,
          `contract ${event.contract} failed ${event.failed} of the last ${event.window} attempts; no more are let through for now`,
        ),
      ];
    case "run-finished":
      if (event.status === "failed")
        return [alarm("run-failed", "", event.failure === undefined ? "the run failed" : sentenceOf(event.failure))];
      return event.status === "passed" && event.part === undefined && failedBefore
        ? [alarm("run-recovered", "", "the run passed again")]
        : [];
    default:
      return [];
  }
}

function sentenceOf(failure: Parameters<typeof describeFailure>[0]): string {
  const { title, detail } = describeFailure(failure);
  return [title, ...detail.slice(0, 3)].join("; ");
}
