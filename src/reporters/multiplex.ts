/** Several reporters as one. A reporter that throws is warned about once and not asked again, so a run never fails by it. */
import type { Reporter } from "../core/ports.ts";

/** `warn` gets one sentence for each reporter that breaks. Closing waits for all that still work. */
export function multiplexReporter(reporters: readonly Reporter[], warn: (message: string) => void): Reporter {
  const working = new Set(reporters);
  const drop = (reporter: Reporter, error: unknown) => {
    if (working.delete(reporter))
      warn(`reporter \`${reporter.name}\` broke and is left out from here on: ${error instanceof Error ? error.message : String(error)}`);
  };
  const each = (ask: (reporter: Reporter) => void) => {
    for (const reporter of working) {
      try {
        ask(reporter);
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
