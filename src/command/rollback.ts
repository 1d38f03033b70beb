/** `wave rollback`: takes what a run applied out of the project again. */
import { changesText } from "../report/changes-text.ts";
import { changesLines } from "../report/render-changes.ts";
import { findApplied, undoRun } from "../undo-run.ts";
import { type Command, fail, flag, type Invocation, jsonOption, manifestOptions } from "./command.ts";
import { openProjectMemory } from "./open-memory.ts";

export const rollbackCommand: Command = {
  name: "rollback",
  summary: "Take the changes of a run out of the project again",
  details:
    "Puts every file that the run changed back as it was before. Refuses, and does nothing, when one of them changed since. On a terminal it only shows what it would do, unless --yes is given.",
  arguments: [{ name: "<run>", description: "an id, a unique prefix, `latest`, or a pipeline's name" }],
  options: [
    ...manifestOptions,
    { flags: "--yes", description: "do it, also on a terminal" },
    { flags: "--dry-run", description: "only show what would be done" },
    jsonOption,
  ],
  examples: ["wave rollback latest", "wave rollback 3f9a --yes"],
  run: rollback,
};

async function rollback(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const opened = await openProjectMemory(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  const { read, memory } = opened.value;
  const found = await findApplied(memory, invocation.arguments[0] ?? "latest");
  if (!found.ok) return fail(io, found.error, { json });
  const { run, ref, changes } = found.value;
  const dry = flag(invocation, "dryRun") || (io.stderr.isTerminal && !json && !flag(invocation, "yes"));
  if (!dry) {
    const undone = await undoRun(memory, read.root, found.value);
    if (!undone.ok) return fail(io, undone.error, { json });
  }
  if (json) {
    io.stdout.write(`${JSON.stringify({ ok: true, run: run.id, undone: !dry, changes: ref, paths: changes.map(({ path }) => path) })}\n`);
    return 0;
  }
  const lines = changesLines(changes, { color: io.stderr.color, undone: true });
  const said = dry ? `would be undone; \`--yes\` does it` : "undone";
  io.stderr.write(`${[...lines, `run ${run.id}: ${changesText(ref)} ${said}`].join("\n")}\n`);
  return 0;
}
