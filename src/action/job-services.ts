/** The services that a job calls, with the health of each, which `main` saves for `post`. */
import { defined } from "../core/defined.ts";
import { systemClock } from "../platform/clock.ts";
import { openServiceHealth, type ServiceHealth, type ServiceRecord } from "../platform/service-health.ts";
import { savePostState } from "./post-state.ts";

export interface JobServices {
  /** GitHub's API. */
  readonly api: ServiceHealth;
  readonly artifacts: ServiceHealth;
  readonly cache: ServiceHealth;
  /** Warns about time lost since the job or `post` started, except for services whose failure was already reported. */
  report(): void;
}

type Name = "api" | "artifacts" | "cache";

const names = {
  api: "GitHub's API",
  artifacts: "the artifact service",
  cache: "the cache service",
} as const;

/** Shorter delays are not reported. */
const reportedSeconds = 5;

/** `saved`: the JSON that `main` saved for `post`. `warn` is called once for each service that is given up. */
export function openJobServices(warn: (text: string) => void, saved = ""): JobServices {
  const records = JSON.parse(saved || "{}") as Partial<Record<Name, ServiceRecord>>;
  const open = (name: Name): ServiceHealth => {
    const record = records[name];
    return openServiceHealth({
      clock: systemClock,
      ...defined({ record }),
      note: (changed) => {
        records[name] = changed;
        savePostState("services", JSON.stringify(records), warn);
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
      // Problems of the cache have their own warning.
      for (const name of ["api", "artifacts"] as const) {
        const { lostMs, isGivenUp } = services[name];
        const seconds = Math.round((lostMs - reported[name]) / 1000);
        if (!isGivenUp && seconds >= reportedSeconds) warn(`${names[name]} did not answer for ${seconds} s`);
      }
    },
  };
}
