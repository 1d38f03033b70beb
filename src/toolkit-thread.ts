/** The entry of the toolkit's thread: serves calls, and reports the outcomes of their HTTP requests. */
import { parentPort } from "node:worker_threads";
import { type RequestOutcome, withWatchedRequests } from "./platform/actions/request-watch.ts";
import { withoutInheritance } from "./platform/actions/thread-environment.ts";
import type { ToolkitAnswer, ToolkitOutcome, ToolkitRequest } from "./platform/actions/toolkit-calls.ts";
import { problemOf, toolkitClients } from "./platform/actions/toolkit-clients.ts";

process.env = withoutInheritance(process.env);

parentPort?.on("message", async ({ id, call, input }: ToolkitRequest) => {
  const work = toolkitClients[call] as (input: unknown) => Promise<unknown>;
  parentPort?.postMessage(await answer(id, () => work(input)));
});

async function answer(id: number, work: () => Promise<unknown>): Promise<ToolkitAnswer> {
  let last: RequestOutcome["kind"] | undefined;
  const report = (outcome: RequestOutcome) => {
    last = outcome.kind;
    parentPort?.postMessage({ id, ...outcome } satisfies ToolkitOutcome);
  };
  try {
    return { id, ok: true, value: await withWatchedRequests(report, work) };
  } catch (error) {
    const problem = problemOf(error);
    return { id, ok: false, error: last === "timeout" ? { ...problem, code: "unanswered" } : problem };
  }
}
