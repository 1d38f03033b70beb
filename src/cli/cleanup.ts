/** `wave cleanup`: takes away what state no longer needs. */
import { defined } from "../core/defined.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { RunStatus } from "../core/state.ts";
import { renderCleanup } from "../reporters/console/render-cleanup.ts";
import type { RunCriteria } from "../store/select-runs.ts";
import {
  type Command,
  countOption,
  fail,
  flag,
  type Invocation,
  jsonOption,
  manifestOptions,
  printJson,
  textOption,
} from "./define-command.ts";
import { openProjectStore } from "./open-store.ts";
import { parseAge } from "./parse-time.ts";

/** The statuses of runs that may go. */
const endings = ["passed", "failed", "cancelled", "interrupted"] as const satisfies readonly RunStatus[];

export const cleanupCommand: Command = {
  name: "cleanup",
  summary: "Remove old runs, workspaces, logs and blobs from state",
  details: [
    "With --older-than, --status or --keep-last, runs go that meet everything that is said; their rows stay in the database, and `wave status` still shows them. Without these, only workspaces and logs go, of all runs but the newest of each pipeline.",
    "A run whose results another kept run reuses stays as well. In both cases every blob goes that no run refers to. Runs that go on, and blobs that were stored or used within the last hour, are never touched.",
  ].join(" "),
  arguments: [],
  options: [
    ...manifestOptions,
    { flags: "--older-than <duration>", description: "runs that ended longer ago: 12h, 30d, 4w" },
    { flags: "--status <status>", description: `runs that ended so: ${endings.join(", ")}; may be repeated`, repeatable: true },
    { flags: "--keep-last <count>", description: "all but this many of each pipeline's newest runs" },
    { flags: "--dry-run", description: "only show what would go" },
    jsonOption,
  ],
  examples: ["wave cleanup --dry-run", "wave cleanup --older-than 30d", "wave cleanup --status failed --status cancelled --keep-last 3"],
  run: cleanup,
};

async function cleanup(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const dry = flag(invocation, "dryRun");
  const criteria = readCriteria(invocation);
  if (!criteria.ok) return fail(io, criteria.error, { json });
  const opened = await openProjectStore(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  // With SQLite, which only those load who need it.
  const { cleanUp } = await import("../engine/cleanup.ts");
  const cleaned = await cleanUp({ store: opened.value.store, criteria: criteria.value, dry });
  if (!cleaned.ok) return fail(io, cleaned.error, { json });
  if (json) {
    const { runs, ...rest } = cleaned.value;
    const told = runs.map(({ id, pipeline, status }) => ({ id, pipeline, status }));
    printJson(io, { ok: true, dryRun: dry, runs: told, ...rest });
  } else io.stdout.write(renderCleanup(cleaned.value, { dry }));
  return 0;
}

function readCriteria(invocation: Invocation): Result<RunCriteria> {
  const age = textOption(invocation, "olderThan");
  const olderThanMs = age === undefined ? undefined : parseAge(age);
  if (age !== undefined && olderThanMs === undefined)
    return err({ reason: "usage", message: `--older-than takes a duration such as 12h, 30d or 4w, not \`${age}\`` });
  // `--keep-last 0` says nothing that leaving it out does not.
  const keepLast = countOption(invocation, "keepLast", 1_000_000);
  if (typeof keepLast === "object") return err({ reason: "usage", message: keepLastMessage(textOption(invocation, "keepLast") ?? "") });
  const given = invocation.options["status"];
  const statuses = Array.isArray(given) ? (given as readonly string[]).flatMap((text) => text.split(",")) : undefined;
  const unknown = statuses?.find((status) => !endings.some((ending) => ending === status));
  if (unknown !== undefined)
    return err({
      reason: "usage",
      message: `\`${unknown}\` is not a status that a run ends with`,
      hint: `statuses: ${endings.join(", ")}`,
    });
  return ok({
    ...defined({ olderThanMs }),
    ...(statuses === undefined ? {} : { statuses: endings.filter((ending) => statuses.includes(ending)) }),
    ...defined({ keepLast }),
  });
}

function keepLastMessage(text: string): string {
  return `--keep-last takes a whole number from 1 to 1000000, not \`${text}\``;
}
