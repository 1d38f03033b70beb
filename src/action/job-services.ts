/** The services that a job uses besides the runner, with what is known of each. `main` leaves it for `post`. */
import { defined } from "../core/defined.ts";
import { systemClock } from "../platform/clock.ts";
import { openServiceHealth, type ServiceHealth, type ServiceRecord } from "../platform/service-health.ts";
import { noteForPost } from "./post-state.ts";

export interface JobServices {
  /** GitHub's API. */
  readonly api: ServiceHealth;
  readonly artifacts: ServiceHealth;
  readonly cache: ServiceHealth;
  /** Warns of time that was lost since it was opened, unless the service was given up and that was reported. */
  report(): void;
}

type Name = "api" | "artifacts" | "cache";

const names = {
  api: "GitHub's API",
  artifacts: "the artifact service",
  cache: "the cache service",
} as const;

/** Less is not worth a warning. */
const reportedSeconds = 5;

/** `left` is the state that `main` left for `post`. `warn` is called once for each service that is given up. */
export function openJobServices(warn: (text: string) => void, left = ""): JobServices {
  const records = JSON.parse(left || "{}") as Partial<Record<Name, ServiceRecord>>;
  const open = (name: Name): ServiceHealth => {
    const record = records[name];
    return openServiceHealth({
      clock: systemClock,
      ...defined({ record }),
      note: (changed) => {
        records[name] = changed;
        noteForPost("services", JSON.stringify(records), warn);
      },
      warn: (lostMs) =>
        warn(`${names[name]} does not answer: given up after ${Math.round(lostMs / 1000)} s, and not used for the rest of the job`),
    });
  };
  const services = { api: open("api"), artifacts: open("artifacts"), cache: open("cache") };
  const reported = { api: services.api.lostMs, artifacts: services.artifacts.lostMs };
  return {
    ...services,
    report() {
      // What the cache could not do is a warning of its own.
      for (const name of ["api", "artifacts"] as const) {
        const { lostMs, isGivenUp } = services[name];
        const seconds = Math.round((lostMs - reported[name]) / 1000);
        if (!isGivenUp && seconds >= reportedSeconds) warn(`${names[name]} did not answer for ${seconds} s`);
      }
    },
  };
}
