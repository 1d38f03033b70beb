/** State in a directory of its own, and what runs write into it. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach } from "vitest";
import type { EventPayload } from "../../src/core/event.ts";
import type { Clock, Journal, StateStore } from "../../src/core/ports.ts";
import type { Result } from "../../src/core/result.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { createRedactor } from "../../src/redaction/redactor.ts";
import { openState, type StateRequest } from "../../src/store/open-store.ts";
import { artifact, digest } from "./plan-fixtures.ts";
import { attemptStarted, result, started } from "./run-events.ts";

const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

/** An empty directory that is gone after the test. */
export function temporary(): string {
  const directory = mkdtempSync(path.join(tmpdir(), "wave-state-"));
  directories.push(directory);
  return directory;
}

/** A state directory that does not exist yet. */
export function stateDirectory(): string {
  return path.join(temporary(), "state");
}

let last = 0;

/** The machine's clock, but no two looks at it give the same time: what comes later is later. */
const tickingClock: Clock = {
  ...systemClock,
  now() {
    last = Math.max(last + 1, systemClock.now());
    return last;
  },
};

/** A store as a process of its own would open it: it remembers nothing of what others read. */
export function storeIn(stateDir: string, members: Partial<StateRequest> = {}): StateStore {
  return openState({ stateDir, redactor: createRedactor([]), version: "0.0.0", clock: tickingClock, ...members });
}

/** The value of what must not fail. */
export function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

export async function append(journal: Journal, ...payloads: readonly EventPayload[]): Promise<void> {
  must(await journal.append(payloads));
}

/** A run from its start to its end: every step passes at once and leaves an artifact. */
export async function passingRun(
  store: StateStore,
  run: string,
  steps: readonly string[] = ["a", "b"],
  pipeline = "demo",
  tree = digest("tree"),
): Promise<void> {
  const journal = must(await store.openJournal(run));
  await append(journal, started(Object.fromEntries(steps.map((step) => [step, []])), pipeline));
  for (const step of steps) {
    await append(journal, attemptStarted(step));
    await append(
      journal,
      { type: "contract-checked", step, attempt: 1, result: result("shape"), breaker: `shape of ${step}` },
      { ...passed(step), artifacts: [artifact(step, `bytes of ${step}`)] },
      { type: "step-finished", step, status: "passed", attempt: 1 },
    );
  }
  await append(journal, { type: "run-finished", status: "passed", durationMs: 1000, tree });
  must(await journal.close());
}

function passed(step: string): EventPayload & { readonly type: "attempt-passed" } {
  return { type: "attempt-passed", step, attempt: 1, durationMs: 1200, artifacts: [] };
}

/** The one journal of a run. */
export function journalOf(stateDir: string, run: string): string {
  const directory = path.join(stateDir, "journals", run);
  const [file, ...others] = readdirSync(directory);
  if (file === undefined || others.length > 0) throw new Error(`${run} has ${others.length + Number(file !== undefined)} journals`);
  return path.join(directory, file);
}

/** Whether the database was ever saved. */
export function hasDatabase(stateDir: string): boolean {
  return existsSync(path.join(stateDir, "wave.db"));
}
