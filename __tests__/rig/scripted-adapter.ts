/** An adapter that does what the test says, step by step and attempt by attempt, and remembers what it saw. */
import type { Failure } from "../../src/core/failure.ts";
import type { Adapter, AdapterContext } from "../../src/core/ports.ts";
import { err, ok } from "../../src/core/result.ts";
import type { Usage } from "../../src/core/usage.ts";

/** `pass`; `hold`: until the test releases it, or the signal aborts; a failure; a function that throws; or something of these that tells usage first. */
export type Act = "pass" | "hold" | Failure | (() => never) | Using;

export interface Using {
  readonly uses: Usage;
  readonly then: Act;
}

export interface ScriptedAdapter extends Adapter {
  /** `STEP.ATTEMPT`, as they began. */
  readonly runs: readonly string[];
  readonly contexts: readonly AdapterContext[];
  /** The most attempts that ran at once. */
  readonly peak: number;
  /** Resolves once a step's attempt has begun. */
  started(step: string): Promise<void>;
  /** Lets a step that holds pass, now or when it comes to hold. */
  release(step: string): void;
}

/** `script`: what the nth attempt (from 1) of a step in this process does. Every attempt lasts at least one turn of the event loop. */
export function scriptedAdapter(script: (step: string, nth: number) => Act): ScriptedAdapter {
  const runs: string[] = [];
  const contexts: AdapterContext[] = [];
  const counts = new Map<string, number>();
  const releases = new Map<string, () => void>();
  const released = new Set<string>();
  const watchers = new Map<string, (() => void)[]>();
  let running = 0;
  let peak = 0;

  const perform = async (context: AdapterContext, act: Act): ReturnType<Adapter["run"]> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (typeof act === "object" && "uses" in act) {
      context.onUsage?.(act.uses);
      return perform(context, act.then);
    }
    if (typeof act === "function") return act();
    if (act === "hold") await held(context);
    if (context.signal.aborted) return err({ reason: "cancelled", by: String(context.signal.reason) } as const);
    return typeof act === "object" ? err(act) : ok({});
  };
  const held = (context: AdapterContext) =>
    new Promise<void>((resolve) => {
      releases.set(context.step.id, resolve);
      if (context.signal.aborted || released.has(context.step.id)) resolve();
      context.signal.addEventListener("abort", () => resolve(), { once: true });
    });

  return {
    name: "command",
    runs,
    contexts,
    get peak() {
      return peak;
    },
    version: async () => ok("1"),
    started: (step) =>
      counts.has(step) ? Promise.resolve() : new Promise((resolve) => watchers.set(step, [...(watchers.get(step) ?? []), resolve])),
    release(step) {
      released.add(step);
      releases.get(step)?.();
    },
    async run(context) {
      const { id } = context.step;
      runs.push(`${id}.${context.attempt.number}`);
      contexts.push(context);
      counts.set(id, (counts.get(id) ?? 0) + 1);
      running += 1;
      peak = Math.max(peak, running);
      const act = script(id, counts.get(id) ?? 1);
      for (const watcher of watchers.get(id) ?? []) watcher();
      try {
        return await perform(context, act);
      } finally {
        running -= 1;
      }
    },
  };
}
