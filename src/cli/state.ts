/** `wave state`: whether state is as wave wrote it, and a database made anew. */

import type { RunStore } from "../engine/open-project.ts";
import { systemClock } from "../platform/clock.ts";
import { renderRebuilt, renderVerification } from "../reporters/console/render-verification.ts";
import { actionOf, type Command, fail, flag, type Invocation, jsonOption, manifestOptions, printJson } from "./define-command.ts";
import { openProjectStore } from "./open-store.ts";

const actions = ["verify", "rebuild"] as const;

export const stateCommand: Command = {
  name: "state",
  summary: "Verify state, or rebuild its database from the journals",
  details: [
    "`verify` reads every journal, blob and the database, names what is not as it was written by file and line, and exits with 4 when it finds anything. It mends nothing.",
    "`rebuild` makes the database anew from the journals; runs whose journals are gone are taken over from the old database as far as it can be read. docs/state.md says what cannot be found.",
  ].join(" "),
  arguments: [{ name: "<action>", description: "`verify` or `rebuild`" }],
  options: [...manifestOptions, jsonOption],
  examples: ["wave state verify", "wave state verify --json", "wave state rebuild"],
  run: state,
};

async function state(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const action = actionOf(invocation, actions, "state");
  if (!action.ok) return fail(io, action.error, { json });
  const opened = await openProjectStore(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  const { store } = opened.value;
  // What both do needs SQLite, which only those load who need it.
  return action.value === "verify" ? verify(invocation, store, json) : rebuild(invocation, store.stateDir, json);
}

async function verify({ io }: Invocation, store: RunStore, json: boolean): Promise<number> {
  const { verifyState } = await import("../engine/verify-state.ts");
  const verified = await verifyState(store);
  if (!verified.ok) return fail(io, verified.error, { json });
  const whole = verified.value.findings.length === 0;
  if (json) printJson(io, { ok: whole, ...verified.value });
  else io.stdout.write(renderVerification(verified.value, { color: io.stdout.color }));
  return whole ? 0 : 4;
}

async function rebuild({ io }: Invocation, stateDir: string, json: boolean): Promise<number> {
  const { rebuildState } = await import("../store/rebuild-state.ts");
  const rebuilt = await rebuildState(stateDir, systemClock);
  if (!rebuilt.ok) return fail(io, rebuilt.error, { json });
  if (json) printJson(io, { ok: true, ...rebuilt.value });
  else io.stdout.write(renderRebuilt(rebuilt.value, { color: io.stdout.color }));
  return 0;
}
