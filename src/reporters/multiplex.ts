/** Combines several reporters into one. A reporter that throws causes one warning and is removed; the run does not fail. */
import type { Reporter } from "../core/ports.ts";

/** `warn` receives one sentence per removed reporter. `close` waits for the others. */
export function multiplexReporter(reporters: readonly Reporter[], warn: (message: string) => void): Reporter {
  const working = new Set(reporters);
  const drop = (reporter: Reporter, error: unknown) => {
    if (working.delete(reporter))
      warn(`reporter \`${reporter.name}\` failed and receives no more events: ${error instanceof Error ? error.message : String(error)}`);
  };
  const each = (call: (reporter: Reporter) => void) => {
    for (const reporter of working) {
      try {
        call(reporter);
      } catch (error) {
        drop(reporter, error);
      }
    }
  };
  return {
    name: "multiplex",
    onEvent: (event) => each((reporter) => reporter.onEvent(event)),
    onOutput: (output) => each((reporter) => reporter.onOutput?.(output)),
    onUsage: (used) => each((reporter) => reporter.onUsage?.(used)),
    close: async () => {
      await Promise.all(
        [...working].map((reporter) =>
          Promise.resolve()
            .then(() => reporter.close())
            .catch((error: unknown) => drop(reporter, error)),
        ),
      );
    },
  };
}
