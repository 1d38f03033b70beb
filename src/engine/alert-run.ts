/** Sends the alerts of a run, and records them in its journal when it has ended. */
import type { WaveEvent } from "../core/event.ts";
import type { Journal } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import type { RunRecord } from "../core/state.ts";
import { systemClock } from "../platform/clock.ts";
import { type Alerts, openAlerts } from "../telemetry/alerts/alerts.ts";
import type { PlannedRun } from "./plan-run.ts";

/** How long the end of a run, or of a cancelled run, waits for webhooks, in milliseconds. */
const limits = { endMs: 10_000, cancelledMs: 1_000 } as const;

/** `before`: the record of a run that is resumed. */
export function alertsOf({ project, store, plan, env }: PlannedRun, runId: string, before: RunRecord | undefined): Alerts {
  return openAlerts({
    targets: project.alerts,
    pipeline: plan.pipeline.name,
    env,
    before: before?.alerts ?? [],
    failedBefore: async () => {
      if (before !== undefined && before.status !== "pending") return before.status !== "passed";
      const runs = await store.state.listRuns({ pipeline: plan.pipeline.name, limit: 2 });
      const earlier = runs.ok ? runs.value.find(({ id }) => id !== runId) : undefined;
      return earlier?.status === "failed" || earlier?.status === "interrupted";
    },
    clock: systemClock,
  });
}

/** Waits for webhooks within the limits, and records the outcome of each alert. */
export async function recordAlerts(
  alerts: Alerts,
  journal: Journal,
  notifyReporters: (events: readonly WaveEvent[]) => void,
  cancelled: boolean,
): Promise<Result<void>> {
  const outcomes = await alerts.flush(cancelled ? limits.cancelledMs : limits.endMs);
  if (outcomes.length === 0) return ok(undefined);
  const appended = await journal.append(outcomes);
  if (!appended.ok) return appended;
  notifyReporters(appended.value);
  return ok(undefined);
}
