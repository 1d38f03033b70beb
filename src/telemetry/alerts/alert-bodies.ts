/**
 * Builds the bodies of alerts. Pure. CloudEvents 1.0 in JSON's structured mode: https://github.com/cloudevents/spec; Slack:
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */

import type { AlertReason, AlertTarget } from "../../core/alert.ts";
import { digestOfBytes } from "../../core/digest.ts";
import { markdownText } from "../../text/markdown-text.ts";

/** An incident that alerts report. */
export interface Alarm {
  readonly reason: AlertReason;
  /** A step, `step/contract`, or empty for the run. */
  readonly subject: string;
  /** A sentence, redacted. */
  readonly text: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly run: string;
  readonly pipeline: string;
}

export interface AlertBody {
  readonly type: string;
  readonly body: string;
}

/** Equal for repeated deliveries of an alarm, so that receivers can discard duplicates. 32 hex digits. */
export function alarmId({ run, reason, subject }: Pick<Alarm, "run" | "reason" | "subject">): string {
  return digestOfBytes(JSON.stringify([run, reason, subject])).slice("sha256:".length, "sha256:".length + 32);
}

export function alertBody(alarm: Alarm, format: AlertTarget["format"]): AlertBody {
  const { reason, subject, text, at, run, pipeline } = alarm;
  if (format === "slack") {
    return {
      type: "application/json",
      body: JSON.stringify({ text: `${signs[reason]} *${slackText(pipeline)}*: ${slackText(text)} (run \`${run}\`)` }),
    };
  }
  const event = {
    specversion: "1.0",
    id: alarmId(alarm),
    source: `wave/${encodeURIComponent(pipeline)}/${run}`,
    type: `wave.${reason}`,
    time: at,
    ...(subject === "" ? {} : { subject }),
    datacontenttype: "application/json",
    data: { pipeline, run, reason, subject, text },
  };
  return { type: "application/cloudevents+json; charset=utf-8", body: JSON.stringify(event) };
}

const signs: Readonly<Record<AlertReason, string>> = {
  "contract-failed": ":x:",
  "step-timeout": ":hourglass:",
  "circuit-open": ":octagonal_sign:",
  "run-failed": ":x:",
  "run-recovered": ":white_check_mark:",
};

/** Escapes Slack's three control characters, and prevents mentions of channels and people. */
function slackText(text: string): string {
  return markdownText(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("@", "@\u200b");
}
