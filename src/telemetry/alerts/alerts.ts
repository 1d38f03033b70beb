/**
 * Sends alerts to webhooks while a run executes. The run does not wait for deliveries until it has ended, and then only for a limited time. Each alarm
 * of a run is sent once per target. Recording the outcomes is up to the caller.
 */

import type { AlertRecord, AlertTarget } from "../../core/alert.ts";
import { defined } from "../../core/defined.ts";
import type { PayloadOf, WaveEvent } from "../../core/event.ts";
import type { Clock } from "../../core/ports.ts";
import { type Alarm, alarmId, alertBody } from "./alert-bodies.ts";
import { alarmsOf } from "./alert-rules.ts";
import { deliver } from "./deliver.ts";

export interface AlertsRequest {
  readonly targets: readonly AlertTarget[];
  readonly pipeline: string;
  /** Contains the addresses and keys of targets. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Alerts of earlier processes of this run. An alert that was sent is not sent again. */
  readonly before: readonly AlertRecord[];
  /** Whether the run, or the one before it, had failed. Called when the run has passed. */
  readonly failedBefore: () => Promise<boolean>;
  readonly clock: Clock;
}

export interface Alerts {
  onEvent(event: WaveEvent): void;
  /** Waits for open deliveries, at most `limitMs` milliseconds. Returns the outcomes of all alerts. */
  flush(limitMs: number): Promise<readonly PayloadOf<"alert-sent" | "alert-failed">[]>;
}

export function openAlerts(request: AlertsRequest): Alerts {
  const raisedKeys = new Set(
    request.before.filter(({ outcome }) => outcome === "sent").map(({ alert, reason, subject }) => keyOf(alert, reason, subject)),
  );
  const control = new AbortController();
  const outcomes: PayloadOf<"alert-sent" | "alert-failed">[] = [];
  const sending = new Set<Promise<void>>();
  const send = async (target: AlertTarget, alarm: Alarm) => {
    const { reason, subject } = alarm;
    const names = { alert: target.name, reason, subject };
    const url = target.url ?? request.env[target.urlFrom ?? ""] ?? "";
    const key = target.secret === undefined ? undefined : request.env[target.secret];
    const missing = url === "" ? target.urlFrom : target.secret !== undefined && (key ?? "") === "" ? target.secret : undefined;
    if (missing !== undefined) {
      outcomes.push({ type: "alert-failed", ...names, because: `${missing} is not set` });
      return;
    }
    const message = alertBody(alarm, target.format);
    const sent = await deliver({
      url,
      message,
      id: alarmId(alarm),
      env: request.env,
      clock: request.clock,
      signal: control.signal,
      ...defined({ key }),
    });
    outcomes.push(sent.ok ? { type: "alert-sent", ...names, tries: sent.value } : { type: "alert-failed", ...names, because: sent.error });
  };
  const raise = async (event: WaveEvent) => {
    const passed = event.type === "run-finished" && event.status === "passed";
    const alarms = alarmsOf(event, request.pipeline, passed && (await request.failedBefore()));
    const all = alarms.flatMap((alarm) =>
      request.targets.filter(({ on }) => on.includes(alarm.reason)).map((target) => ({ target, alarm })),
    );
    const fresh = all.filter(({ target, alarm }) => !raisedKeys.has(keyOf(target.name, alarm.reason, alarm.subject)));
    for (const { target, alarm } of fresh) raisedKeys.add(keyOf(target.name, alarm.reason, alarm.subject));
    await Promise.all(fresh.map(({ target, alarm }) => send(target, alarm)));
  };
  return {
    onEvent(event) {
      if (request.targets.length === 0) return;
      const raised = raise(event);
      sending.add(raised);
      void raised.finally(() => sending.delete(raised));
    },
    async flush(limitMs) {
      const timer = setTimeout(() => control.abort(), limitMs);
      while (sending.size > 0) await Promise.all(sending);
      clearTimeout(timer);
      return outcomes;
    },
  };
}

function keyOf(alert: string, reason: string, subject: string): string {
  return JSON.stringify([alert, reason, subject]);
}
