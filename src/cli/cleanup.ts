/** `wave cleanup`: removes what the store no longer needs. */
import { defined } from "../core/defined.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunStatus } from "../core/state.ts";
import type { CleanupRequest } from "../engine/cleanup.ts";
import { openProjectStore } from "../engine/open-run.ts";
import { renderCleanup } from "../reporters/console/render-cleanup.ts";
import { type CommandContext, defineCommand } from "./define-command.ts";
import { parseAge } from "./parse-time.ts";

/** Statuses of runs that can be removed. */
const statuses = ["passed", "failed", "cancelled", "interrupted"] as const satisfies readonly RunStatus[];

export const cleanupCommand = defineCommand({
  name: "cleanup",
  summary: "Remove old runs, workspaces, logs and blobs",
  details: [
    "With --older-than, --status or --keep-last, removes the runs that match every filter; they stay listed in `wave status`. Without a filter, removes only workspaces and logs, of all runs except the newest of each pipeline.",
    "A run is kept if another kept run reuses its results. Blobs that no run refers to are removed. Active runs, and blobs stored or used within the last hour, are never removed.",
  ].join(" "),
  options: [
    { flags: "--older-than <duration>", description: "runs that finished before this age: 12h, 30d, 4w" },
    { flags: "--status <status>", description: `runs with this status: ${statuses.join(", ")}; may be repeated`, repeatable: true },
    { flags: "--keep-last <count>", description: "all but this many of each pipeline's newest runs", max: 1_000_000 },
    { flags: "--dry-run", description: "list what would be removed, without removing it" },
  ],
  examples: ["wave cleanup --dry-run", "wave cleanup --older-than 30d", "wave cleanup --status failed --status cancelled --keep-last 3"],
  run: async (context) => {
    const criteria = readCriteria(context);
    if (!criteria.ok) return criteria;
    const opened = await openProjectStore(context.request);
    if (!opened.ok) return opened;
    const dry = context.flag("dryRun");
    // Loads SQLite.
    const { cleanUp } = await import("../engine/cleanup.ts");
    const cleaned = await cleanUp({ store: opened.value.store, criteria: criteria.value, dry });
    if (!cleaned.ok) return cleaned;
    const { runs, ...rest } = cleaned.value;
    const listed = runs.map(({ id, pipeline, status }) => ({ id, pipeline, status }));
    return ok({ json: { ok: true, dryRun: dry, runs: listed, ...rest }, text: () => renderCleanup(cleaned.value, { dry }) });
  },
});

function readCriteria({ text, list, count }: CommandContext): Result<CleanupRequest["criteria"]> {
  const age = text("olderThan");
  const olderThanMs = age === undefined ? undefined : parseAge(age);
  if (age !== undefined && olderThanMs === undefined)
    return err({ reason: "usage", message: `--older-than takes a duration such as 12h, 30d or 4w, not \`${age}\`` });
  const given = list("status")?.flatMap((value) => value.split(","));
  const unknown = given?.find((status) => !statuses.some((known) => known === status));
  if (unknown !== undefined)
    return err({
      reason: "usage",
      message: `\`${unknown}\` is not the status of a finished run`,
      hint: `statuses: ${statuses.join(", ")}`,
    });
  return ok(defined({ olderThanMs, statuses: given && statuses.filter((status) => given.includes(status)), keepLast: count("keepLast") }));
}
