/** The machine's clock. */
import type { Clock } from "../core/ports.ts";

/** Node stores delays as signed 32-bit numbers; longer ones would fire immediately. */
const longestTimer = 2 ** 31 - 1;

/** The machine's time. `sleep` waits at most 24 days, keeps the process alive, and never rejects. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // Not `performance`: its first use loads nine of Node's modules.
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
