/**
 * A process that writes a run, for tests that kill it: `state-child STATE_DIR RUN MODE`. It prints a line for each thing that was
 * reported to it.
 *
 * `append`  appends in parallel until it is killed; prints the ids of events
 * `hold`    opens the journal, prints `open` or the failure, and waits
 * `fill`    appends until the first failure, then once more, and closes; prints the failures
 */
import type { EventPayload } from "../../src/core/event.ts";
import type { Journal } from "../../src/core/ports.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { createRedactor } from "../../src/redaction/redactor.ts";
import { openState } from "../../src/store/open-store.ts";
import { attemptPassed, attemptStarted, started } from "./run-events.ts";

const [stateDir = "", run = "", mode = ""] = process.argv.slice(2);
const print = (line: string) => process.stdout.write(`${line}\n`);

const store = openState({ stateDir, redactor: createRedactor([]), version: "0.0.0", clock: systemClock });
const journal = await store.openJournal(run);
if (!journal.ok) print(JSON.stringify(journal.error));
else if (mode === "append") await appendForever(journal.value);
else if (mode === "fill") await fill(journal.value);
else {
  print("open");
  setInterval(() => {}, 60_000);
}

async function appendForever(to: Journal): Promise<void> {
  await report(to, [started({ a: [], b: [], c: [] })]);
  const work = async (step: string) => {
    for (let attempt = 1; ; attempt++) {
      await report(to, [attemptStarted(step, attempt)]);
      await report(to, [attemptPassed(step, attempt)]);
    }
  };
  await Promise.all(["a", "b", "c"].map(work));
}

async function report(to: Journal, payloads: readonly EventPayload[]): Promise<void> {
  const appended = await to.append(payloads);
  if (!appended.ok) throw new Error(JSON.stringify(appended.error));
  for (const event of appended.value) print(`${event.writer}:${event.seq}`);
}

async function fill(to: Journal): Promise<void> {
  let outcome = await to.append([started({ a: [] })]);
  for (let attempt = 1; outcome.ok && attempt < 100_000; attempt++) {
    for (const event of outcome.value) print(`${event.writer}:${event.seq}`);
    outcome = await to.append([attemptStarted("a", attempt)]);
  }
  print(JSON.stringify(outcome));
  print(JSON.stringify(await to.append([attemptPassed("a")])));
  print(JSON.stringify(await to.close()));
}
