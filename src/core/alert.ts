/** Alerts and the webhooks that receive them. */

import type { Origin } from "./document.ts";

/** Why an alert is sent. */
export const alertReasons = ["contract-failed", "step-timeout", "circuit-open", "run-failed", "run-recovered"] as const;

export type AlertReason = (typeof alertReasons)[number];

/** A webhook that receives alerts. It has either `url` or `urlFrom`. */
export interface AlertTarget {
  readonly name: string;
  readonly url?: string;
  /** The environment variable with the URL. */
  readonly urlFrom?: string;
  readonly format: "cloudevents" | "slack";
  /** The environment variable with the key that signs bodies. */
  readonly secret?: string;
  readonly on: readonly AlertReason[];
  readonly origin: Origin;
}

/** The record of an alert: sent, or given up. */
export interface AlertRecord {
  readonly alert: string;
  readonly reason: AlertReason;
  /** A step, `step/contract`, or empty for the run. */
  readonly subject: string;
  readonly outcome: "sent" | "failed";
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Why it was given up. */
  readonly because?: string;
}
