/** Alerts: what is announced, and where. */

import type { Origin } from "./document.ts";

/** Why an alert is sent. */
export const alertReasons = ["contract-failed", "step-timeout", "circuit-open", "run-failed", "run-recovered"] as const;

export type AlertReason = (typeof alertReasons)[number];

/** A webhook that is told what goes wrong. It has `url` or `urlFrom`. */
export interface AlertTarget {
  readonly name: string;
  readonly url?: string;
  /** The environment variable that holds the address. */
  readonly urlFrom?: string;
  readonly format: "cloudevents" | "slack";
  /** The environment variable that holds the key by which bodies are signed. */
  readonly secret?: string;
  readonly on: readonly AlertReason[];
  readonly origin: Origin;
}

/** What a run remembers of an alert: sent, or given up. */
export interface AlertRecord {
  readonly alert: string;
  readonly reason: AlertReason;
  /** What it is about: a step, `step/contract`, or empty for the run. */
  readonly subject: string;
  readonly outcome: "sent" | "failed";
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Why it was given up. */
  readonly because?: string;
}
