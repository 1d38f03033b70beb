/** `wave rollback`: takes what a run applied out of the project again, wholly or back to a step. */

import type { Changeset } from "../core/changeset.ts";
import type { RunStore } from "../engine/open-project.ts";
import { planRollback, type RollbackPlan, rollBackRun } from "../engine/rollback.ts";
import { changesText } from "../reporters/console/changes-text.ts";
import { changesLines } from "../reporters/console/render-changes.ts";
import { printable } from "../text/printable.ts";
import {
  type Command,
  fail,
  flag,
  type Invocation,
  type Io,
  jsonOption,
  manifestOptions,
  printJson,
  textOption,
} from "./define-command.ts";
import { openProjectStore } from "./open-store.ts";

export const rollbackCommand: Command = {
  name: "rollback",
  summary: "Take the changes of a run, or of its later steps, out of the project again",
  details:
    "Puts every file that the run changed back as it was before. With --to, the steps that descend from STEP are undone, the changes of the others stay, and `wave resume` runs the undone ones again. Refuses, and does nothing, when one of the files changed since. On a terminal it only shows what it would do, unless --yes is given.",
  arguments: [{ name: "<run>", description: "an id, a unique prefix, `latest`, or a pipeline's name" }],
  options: [
    ...manifestOptions,
    { flags: "--to <step>", description: "undo only what descends from this step" },
    { flags: "--force", description: "overwrite files that changed since" },
    { flags: "--yes", description: "do it, also on a terminal" },
    { flags: "--dry-run", description: "only show what would be done" },
    jsonOption,
  ],
  examples: ["wave rollback latest", "wave rollback 3f9a --yes", "wave rollback 3f9a --to survey --yes"],
  run: rollback,
};

async function rollback(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const opened = await openProjectStore(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  const { read, store } = opened.value;
  const planned = await planRollback(store, read.root, invocation.arguments[0] ?? "latest", textOption(invocation, "to"));
  if (!planned.ok) return fail(io, planned.error, { json });
  const dry = flag(invocation, "dryRun") || (io.stderr.isTerminal && !json && !flag(invocation, "yes"));
  const outside = await publishedBy(store, planned.value.run.id);
  if (dry) return tell(io, planned.value, { json, dry: true, overwritten: [], outside });
  const overwritten: string[] = [];
  const overwrite = (paths: readonly string[]) => {
    overwritten.push(...paths);
    if (!json) io.stderr.write(`overwriting what changed since: ${paths.map(printable).join(", ")}\n`);
  };
  const rolledBack = await rollBackRun(store, read.root, planned.value, flag(invocation, "force") ? overwrite : undefined);
  return rolledBack.ok ? tell(io, rolledBack.value, { json, dry: false, overwritten, outside }) : fail(io, rolledBack.error, { json });
}

/** What the run wrote to the outside: that stays. */
async function publishedBy({ state }: RunStore, run: string): Promise<readonly string[]> {
  const events = await state.readEvents(run);
  const published = (events.ok ? events.value : []).flatMap((event) => (event.type === "published" ? [event] : []));
  return [...new Set(published.map(({ artifact, kind, url }) => (url === "" ? `${artifact} (${kind})` : url)))];
}

interface Told {
  readonly json: boolean;
  readonly dry: boolean;
  readonly overwritten: readonly string[];
  readonly outside: readonly string[];
}

function tell(io: Io, rollback: RollbackPlan, { json, dry, overwritten, outside }: Told): number {
  const { run, to, steps, ref, changes, foreign, inPlace, settled, claims } = rollback;
  if (json) {
    const back = to === undefined ? {} : { to, steps };
    const told = { ok: true, run: run.id, rolledBack: !dry, ...back, changes: ref ?? null, paths: changes.map(({ path }) => path) };
    printJson(io, {
      ...told,
      changedSince: foreign,
      laterRuns: claims,
      alreadyAsBefore: settled,
      overwritten,
      inPlace,
      published: outside,
    });
    return 0;
  }
  const lines = changesLines(written(rollback), { color: io.stderr.color });
  if (dry && foreign.length > 0) {
    lines.push(`changed since, so that it would be refused without \`--force\`: ${foreign.map(printable).join(", ")}`);
  }
  for (const { run: later, paths } of dry ? claims : []) {
    lines.push(`run ${later} wrote the same content later, so it would be refused without \`--force\`: ${paths.map(printable).join(", ")}`);
  }
  if (settled.length > 0) lines.push(`already as before, so not written: ${settled.map(printable).join(", ")}`);
  if (inPlace.length > 0) lines.push(`not undone, since it was done in the project itself: what ${list(inPlace)} changed there`);
  if (outside.length > 0) lines.push(`not undone, since it was published: ${outside.map(printable).join(", ")}`);
  lines.push(summary(rollback, dry));
  if (to !== undefined && !dry) lines.push(`to go on: wave resume ${run.id}`);
  io.stderr.write(`${lines.join("\n")}\n`);
  return 0;
}

/** The changes for which the project is written. */
function written({ changes, settled }: RollbackPlan): Changeset {
  const without = new Set(settled);
  return changes.filter(({ path }) => !without.has(path));
}

function summary(rollback: RollbackPlan, dry: boolean): string {
  const { run, to, steps, ref } = rollback;
  const changes = written(rollback);
  const said = dry ? "would be undone; `--yes` does it" : "undone";
  if (to === undefined) {
    const project = changes.length === 0 ? " (the project stays as it is)" : "";
    return `run ${run.id}: ${ref === undefined ? "nothing" : changesText(ref)} ${said}${project}`;
  }
  const files = changes.length === 1 ? "1 file" : `${changes.length} files`;
  const project = changes.length === 0 ? "the project stays as it is" : `${files} of the project`;
  return `run ${run.id}, back to ${printable(to)}: ${list(steps)} ${said} (${project})`;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).map(printable).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
