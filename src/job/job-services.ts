/** The services that a job uses besides the runner, with what is known of each. `main` leaves it for `post`. */
import { getState } from "@actions/core";
import { systemClock } from "../platform/clock.ts";
import { openServiceHealth, type ServiceHealth, type ServiceRecord } from "../platform/service-health.ts";
import { noteForPost } from "./note-for-post.ts";

export interface JobServices {
  /** GitHub's API. */
  readonly api: ServiceHealth;
  readonly artifacts: ServiceHealth;
  readonly cache: ServiceHealth;
}

const names = {
  api: "GitHub's API",
  artifacts: "the artifact service",
  cache: "the cache service",
} as const;

/** In `post`, continues with the records of `main`. `warn` is called once for each service that is given up. */
export function openJobServices(warn: (text: string) => void): JobServices {
  const records = JSON.parse(getState("services") || "{}") as Partial<Record<keyof JobServices, ServiceRecord>>;
  const open = (name: keyof JobServices): ServiceHealth => {
    const record = records[name];
    return openServiceHealth({
      clock: systemClock,
      ...(record === undefined ? {} : { record }),
      note: (changed) => {
        records[name] = changed;
        noteForPost("services", JSON.stringify(records), warn);
      },
      warn: (lostMs) =>
        warn(`${names[name]} does not answer: given up after ${Math.round(lostMs / 1000)} s, and not used for the rest of the job`),
    });
  };
  return { api: open("api"), artifacts: open("artifacts"), cache: open("cache") };
}
