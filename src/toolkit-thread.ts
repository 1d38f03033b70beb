/** The entry of the toolkit's thread: calls in, answers out; nothing else. */
import { parentPort } from "node:worker_threads";
import { withoutInheritance } from "./platform/actions/thread-environment.ts";
import type { ToolkitAnswer, ToolkitRequest } from "./platform/actions/toolkit-calls.ts";
import { problemOf, toolkitClients } from "./platform/actions/toolkit-clients.ts";

process.env = withoutInheritance(process.env);

parentPort?.on("message", async ({ id, call, takes }: ToolkitRequest) => {
  const work = toolkitClients[call] as (takes: unknown) => Promise<unknown>;
  parentPort?.postMessage(await answer(id, () => work(takes)));
});

async function answer(id: number, work: () => Promise<unknown>): Promise<ToolkitAnswer> {
  try {
    return { id, ok: true, value: await work() };
  } catch (error) {
    return { id, ok: false, error: problemOf(error) };
  }
}
