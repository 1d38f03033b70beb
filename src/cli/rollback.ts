/** `wave rollback`: reverts the changes that a run applied to the project, all of them or back to a step. */

import type { Changeset } from "../core/changeset.ts";
import { ok } from "../core/result.ts";
import type { RunStore } from "../engine/open-project.ts";
import { openProjectStore } from "../engine/open-run.ts";
import { planRollback, type RollbackPlan, rollBackRun } from "../engine/rollback.ts";
import { changesText } from "../reporters/console/changes-text.ts";
import { changesLines } from "../reporters/console/render-changes.ts";
import { printable } from "../text/printable.ts";
import { counted } from "../text/quantity.ts";
import { defineCommand } from "./define-command.ts";
import { commandLine } from "./finish-run.ts";

export const rollbackCommand = defineCommand({
  name: "rollback",
  summary: "Revert a run's changes to the project, or those of its later steps",
  details:
    "Restores every file that the run changed. With --to, reverts only the steps that depend on STEP; the changes of other steps stay. `wave resume` runs the reverted steps again. Refuses to change anything if one of the files changed since the run. On a terminal it only prints a preview, unless --yes is given.",
  args: [{ name: "<run>", description: "an id, a unique prefix, `latest`, or a pipeline's name" }],
  options: [
    { flags: "--to <step>", description: "revert only the steps that depend on this step" },
    { flags: "--force", description: "overwrite files that changed since the run" },
    { flags: "--yes", description: "revert without a preview; needed on a terminal" },
    { flags: "--dry-run", description: "print what would be reverted, without reverting it" },
  ],
  examples: ["wave rollback latest", "wave rollback 3f9a --yes", "wave rollback 3f9a --to survey --yes"],
  run: async ({ io, json, request, args: [selector = "latest"], flag, text, print }) => {
    const opened = await openProjectStore(request);
    if (!opened.ok) return opened;
    const { read, store } = opened.value;
    const to = text("to");
    const planned = await planRollback(store, read.root, selector, to);
    if (!planned.ok) return planned;
    const { run } = planned.value;
    const dry = flag("dryRun") || (io.stderr.isTerminal && !json && !flag("yes"));
    const published = await publishedBy(store, run.id);
    const overwritten: string[] = [];
    const overwrite = (paths: readonly string[]) => {
      overwritten.push(...paths);
      print({ notes: () => `overwriting files that changed since the run: ${paths.map(printable).join(", ")}\n` });
    };
    const done = dry ? planned : await rollBackRun(store, read.root, planned.value, flag("force") ? overwrite : undefined);
    if (!done.ok) return done;
    const next = dry
      ? `to revert: ${commandLine(["rollback", run.id, ...(to === undefined ? [] : ["--to", to]), "--yes"], request, io)}`
      : `to run the reverted steps again: ${commandLine(["resume", run.id], request, io)}`;
    return ok({
      json: documentOf(done.value, { dry, overwritten, published }),
      notes: ({ color }) => `${[...linesOf(done.value, { dry, published, color }), next].join("\n")}\n`,
    });
  },
});

/** URLs and artifacts that the run published; a rollback does not revert them. */
async function publishedBy({ state }: RunStore, run: string): Promise<readonly string[]> {
  const events = await state.readEvents(run);
  const published = (events.ok ? events.value : []).flatMap((event) => (event.type === "published" ? [event] : []));
  return [...new Set(published.map(({ artifact, kind, url }) => (url === "" ? `${artifact} (${kind})` : url)))];
}

interface Outcome {
  readonly dry: boolean;
  readonly published: readonly string[];
}

function documentOf(rollback: RollbackPlan, { dry, overwritten, published }: Outcome & { readonly overwritten: readonly string[] }) {
  const { run, to, steps, ref, changes, modifiedSince, inPlace, upToDate, claims } = rollback;
  return {
    ...{ ok: true, run: run.id, rolledBack: !dry },
    ...(to === undefined ? {} : { to, steps }),
    ...{ changes: ref ?? null, paths: changes.map(({ path }) => path), changedSince: modifiedSince, laterRuns: claims },
    ...{ alreadyAsBefore: upToDate, overwritten, inPlace, published },
  };
}

function linesOf(rollback: RollbackPlan, { dry, published, color }: Outcome & { readonly color: boolean }): string[] {
  const { modifiedSince, inPlace, upToDate, claims } = rollback;
  const named = (paths: readonly string[]) => paths.map(printable).join(", ");
  const lines = changesLines(written(rollback), { color });
  if (dry && modifiedSince.length > 0) lines.push(`changed since the run, so \`--force\` is needed: ${named(modifiedSince)}`);
  for (const { run: later, paths } of dry ? claims : [])
    lines.push(`run ${later} wrote the same content later, so \`--force\` is needed: ${named(paths)}`);
  if (upToDate.length > 0) lines.push(`already as before, so not written: ${named(upToDate)}`);
  if (inPlace.length > 0) lines.push(`not reverted, because these steps changed the project itself: ${shortList(inPlace)}`);
  if (published.length > 0) lines.push(`not reverted, because it was published: ${named(published)}`);
  return [...lines, summaryOf(rollback, dry)];
}

/** The changes for which files are written. */
function written({ changes, upToDate }: RollbackPlan): Changeset {
  const without = new Set(upToDate);
  return changes.filter(({ path }) => !without.has(path));
}

function summaryOf(rollback: RollbackPlan, dry: boolean): string {
  const { run, to, steps, ref } = rollback;
  const changes = written(rollback);
  const verb = dry ? "would be reverted" : "reverted";
  const project = changes.length === 0 ? "the project does not change" : `${counted(changes.length, "file")} of the project`;
  if (to !== undefined) return `run ${run.id}, back to ${printable(to)}: ${shortList(steps)} ${verb} (${project})`;
  return `run ${run.id}: ${ref === undefined ? "nothing" : changesText(ref)} ${verb}${changes.length === 0 ? ` (${project})` : ""}`;
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 5).map(printable).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
