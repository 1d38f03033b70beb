/** `wave trace`: shows how long a run's steps took, or the lineage of an artifact. */
import { defined } from "../core/defined.ts";
import { err, ok, type Result } from "../core/result.ts";
import { readTraceparent } from "../core/traceparent.ts";
import type { ReadonlyRunStore } from "../engine/open-project.ts";
import { openPastRuns } from "../engine/open-run.ts";
import { type CommandContext, type CommandOutput, defineCommand, documentText } from "./define-command.ts";
import { knownRuns } from "./known-runs.ts";
import { traceArtifact } from "./trace-artifact.ts";

/** The views that each format can print. */
const formats = { text: "both", json: "both", otlp: "run", mermaid: "artifact", "in-toto": "artifact" } as const;
type Format = keyof typeof formats;

export const traceCommand = defineCommand({
  name: "trace",
  summary: "Show how long a run's steps took, or the lineage of an artifact",
  details: [
    "Without --lineage, shows steps, attempts and contract checks with their start, queue wait and duration, and the critical path.",
    "With --lineage, shows the attempt that made the artifact, with its inputs and changes, recursively and across runs, back to the commit. docs/trace.md describes the formats.",
  ].join(" "),
  args: [{ name: "[run]", description: "an id, a unique prefix, `latest` (default), or a pipeline's name" }],
  options: [
    { flags: "--lineage <artifact>", description: "an artifact's name, STEP/NAME, or a prefix of its digest" },
    {
      flags: "--format <format>",
      description: "output format; `otlp` is for runs, `mermaid` and `in-toto` are for --lineage",
      choices: Object.keys(formats),
      default: "text",
    },
  ],
  jsonHelp: "print JSON on stdout",
  examples: [
    "wave trace",
    "wave trace 3f9a --format otlp > trace.json",
    "wave trace --lineage report",
    "wave trace 3f9a --lineage review/report --format in-toto",
  ],
  run: async (context) => {
    const { json, request, text, flag } = context;
    const [selector] = context.args;
    const chosen = (text("format") ?? "text") as Format;
    const format: Format = json ? "json" : chosen;
    const artifact = text("lineage");
    const wanted = artifact === undefined ? "run" : "artifact";
    if (flag("json") && chosen !== "text" && chosen !== "json")
      return err({ reason: "usage", message: `--json and --format ${chosen} cannot be combined` });
    if (formats[format] !== "both" && formats[format] !== wanted)
      return err({ reason: "usage", message: `--format ${format} ${wanted === "run" ? "needs" : "cannot be combined with"} --lineage` });
    const opened = await openPastRuns(request);
    if (!opened.ok) return opened;
    const store = opened.value;
    if (artifact === undefined) return traceRun(context, store, selector ?? "latest", format);
    return traceArtifact({ store, artifact, ...defined({ selector }), format });
  },
});

async function traceRun(
  { io }: CommandContext,
  { state }: ReadonlyRunStore,
  selector: string,
  format: Format,
): Promise<Result<CommandOutput>> {
  const found = await state.findRun(selector);
  if (!found.ok) return found;
  const known = await knownRuns(state).complete(found.value);
  if (!known.ok) return known;
  const { buildTrace } = await import("../telemetry/trace/build-trace.ts");
  const trace = buildTrace({ run: known.value.record, events: known.value.events, now: Date.now() });
  if (format === "otlp") {
    const { traceAsOtlp } = await import("../telemetry/trace/trace-as-otlp.ts");
    const parent = readTraceparent(io.env["TRACEPARENT"]);
    return ok({ data: documentText(io, traceAsOtlp(trace, defined({ parent }))) });
  }
  const { renderTrace } = await import("../telemetry/trace/render-trace.ts");
  return ok({ json: { ok: true, trace }, text: ({ color, columns }) => renderTrace(trace, { color, columns }) });
}
