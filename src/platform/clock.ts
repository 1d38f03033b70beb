/** The clock of the machine. */
import type { Clock } from "../core/ports.ts";

/** Node keeps delays in a signed 32-bit number; longer ones would fire at once. */
const longestTimer = 2 ** 31 - 1;

/** Time as the machine tells it. `sleep` waits at most 24 days, keeps the process alive meanwhile, and never rejects. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // Not `performance`: the first look at it loads nine of Node's modules.
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(Math.max(ms, 0), longestTimer));
      signal?.addEventListener("abort", end, { once: true });
    });
  },
};
