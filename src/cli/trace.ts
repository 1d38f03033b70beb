/** `wave trace`: where a run's time went, or what an artifact was made from. */

import { defined } from "../core/defined.ts";
import { readTraceparent } from "../core/traceparent.ts";
import type { ReadonlyRunStore } from "../engine/open-project.ts";
import { systemClock } from "../platform/clock.ts";
import { type Command, fail, flag, type Invocation, jsonOption, manifestOptions, printJson, textOption } from "./define-command.ts";
import { knownRuns } from "./known-runs.ts";
import { openProjectPast } from "./open-store.ts";
import { traceArtifact } from "./trace-artifact.ts";

/** What each format can print. */
const formats = { text: "both", json: "both", otlp: "run", mermaid: "artifact", "in-toto": "artifact" } as const;
type Format = keyof typeof formats;

export const traceCommand: Command = {
  name: "trace",
  summary: "Show where a run's time went, or what an artifact was made from",
  details: [
    "Without --lineage: steps, attempts and contract checks, when each began, how long it could have run before that, how long it took, and the critical path.",
    "With --lineage: which attempt made the artifact, from which inputs and changes, recursively and across runs, down to the commit. docs/trace.md describes the formats.",
  ].join(" "),
  arguments: [{ name: "[run]", description: "an id, a unique prefix, `latest` (default), or a pipeline's name" }],
  options: [
    ...manifestOptions,
    { flags: "--lineage <artifact>", description: "an artifact's name, STEP/NAME, or the beginning of its digest" },
    {
      flags: "--format <format>",
      description: "how to print it; `otlp` is for runs, `mermaid` and `in-toto` are for --lineage",
      choices: Object.keys(formats),
      default: "text",
    },
    jsonOption,
  ],
  examples: [
    "wave trace",
    "wave trace 3f9a --format otlp > trace.json",
    "wave trace --lineage report",
    "wave trace 3f9a --lineage review/report --format in-toto",
  ],
  run: trace,
};

async function trace(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const asked = (textOption(invocation, "format") ?? "text") as Format;
  const format: Format = flag(invocation, "json") && asked === "text" ? "json" : asked;
  const json = format === "json" || flag(invocation, "json");
  const artifact = textOption(invocation, "lineage");
  const wanted = artifact === undefined ? "run" : "artifact";
  if (json && format !== "json") return fail(io, { reason: "usage", message: `--json and --format ${format} are two formats` }, { json });
  if (formats[format] !== "both" && formats[format] !== wanted) {
    const message = wanted === "run" ? `--format ${format} is for --lineage` : `--format ${format} is not for --lineage`;
    return fail(io, { reason: "usage", message }, { json });
  }
  const opened = await openProjectPast(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  const { store } = opened.value;
  const selector = invocation.arguments[0];
  if (artifact === undefined) return traceRun(invocation, store, selector ?? "latest", format);
  const text = await traceArtifact({
    store: store,
    artifact,
    ...defined({ selector }),
    format,
    color: io.stdout.color,
  });
  if (!text.ok) return fail(io, text.error, { json });
  if (format === "text") io.stdout.write(text.value);
  else io.stdout.writeData(text.value);
  return 0;
}

async function traceRun({ io }: Invocation, { state }: ReadonlyRunStore, selector: string, format: Format): Promise<number> {
  const json = format === "json";
  const found = await state.findRun(selector);
  if (!found.ok) return fail(io, found.error, { json });
  const known = await knownRuns(state).complete(found.value);
  if (!known.ok) return fail(io, known.error, { json });
  const { buildTrace } = await import("../telemetry/trace/build-trace.ts");
  const built = buildTrace({ run: known.value.record, events: known.value.events, now: systemClock.now() });
  if (format === "otlp") {
    const parent = readTraceparent(io.env["TRACEPARENT"]);
    const { traceAsOtlp } = await import("../telemetry/trace/trace-as-otlp.ts");
    printJson(io, traceAsOtlp(built, parent === undefined ? {} : { parent }));
  } else if (json) printJson(io, { ok: true, trace: built });
  else {
    const { renderTrace } = await import("../telemetry/trace/render-trace.ts");
    io.stdout.write(renderTrace(built, { color: io.stdout.color, columns: io.stdout.columns }));
  }
  return 0;
}
