/** Generates docs/events.md from the event schemas. The hashes of its example journal are computed here. */
import { type Envelope, type EventPayload, journalFormat } from "../src/core/event.ts";
import { ArtifactRecord, Base, ChangesRecord, eventSchemas, Fingerprint } from "../src/core/event-schemas.ts";
import { noHead, sealEvent } from "../src/store/journal-line.ts";
import { envelope } from "./generate-schemas.ts";

/** The schema keywords that this page uses. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly const?: string | number;
  readonly pattern?: string;
  readonly format?: string;
}

/** Shapes that several events use, by section title. */
const shared = new Map<string, Schema>(
  Object.entries({ Fingerprint, Changes: ChangesRecord, Artifact: ArtifactRecord, Base }).map(([title, schema]) => [
    title,
    plainOf(schema),
  ]),
);

export function eventsPage(): string {
  const types = Object.entries(eventSchemas).map(([type, schema]) => [type, plainOf(schema)] as const);
  const lines = [
    "# Events",
    "",
    "This page describes the events in the journal of a run. It is generated from the schemas of the events. [schema/events.schema.json](../schema/events.schema.json) is the machine-readable version.",
    "",
    "A run's journal is the append-only log of its events, and the source of everything that Wave stores about the run. It is in",
    "`.wave/state/journals/RUN/`, with one file `WRITER.jsonl` per process that worked on the run and one event per line. Wave appends each line and",
    "syncs it to disk before it acts on the event, and never rewrites a line. `wave run --json` prints the lines as they are written. Secrets are",
    "redacted before a line is written.",
    "",
    "## The format",
    "",
    `This page describes format ${journalFormat}, which \`v\` of every line states. Wave reads and writes only this format. It refuses a journal of another format with exit`,
    "code 4 and names the file, the format and the way out: use the version of Wave that wrote the journal, or move the state directory away.",
    "",
    "`run-started` lists the nodes of the pipeline's graph. `work` is the only kind of node: a step that a persona executes, with the step's id.",
    "",
    "## The envelope",
    "",
    "Every line has these fields besides its `type` and the fields of that type.",
    "",
    "| field | type | meaning |",
    "|---|---|---|",
    ...Object.entries(envelope).map(([name, schema]) => row(name, schema, name !== "sig")),
    "",
    ...orderLines,
    "",
    ...hashLines(),
    "",
    "## Types",
    "",
    "| type | meaning |",
    "|---|---|",
    ...types.map(([type, { description }]) => `| [\`${type}\`](#${type}) | ${cell(description ?? "")} |`),
    ...types.flatMap(([type, schema]) => section(`### ${type}`, schema)),
    "",
    "## Shapes",
    "",
    "Shapes that several events use. The members of a `failure` depend on its `reason` and are not part of `schema/events.schema.json`.",
    ...[...shared].flatMap(([title, schema]) => section(`### ${title}`, schema)),
  ];
  return `${lines.join("\n")}\n`;
}

const orderLines = [
  "## Order",
  "",
  "An event's id is `writer:seq`. A writer numbers its lines from 1 without gaps. `clock` is a Lamport clock: a process that resumes a run starts",
  "above the highest value that it has read. Readers merge a run's journals by event id and order the events by `clock`, then `writer`, then `seq`.",
  "The result does not depend on the order in which files are read, or on events that are read twice. `ts` is informational and does not affect the",
  "order within a run. If a step has several passed attempts, the first one counts.",
];

/** The events of the example journal. */
const example: readonly EventPayload[] = [
  {
    type: "writer-opened",
    ...{ pid: 4711, processStart: "5c2b:81542", host: "ci-7", wave: "0.1.0", node: "v20.19.0", platform: "linux-x64" },
  },
  { type: "run-resumed", concurrency: 2, onFailure: "finish" },
];

function hashLines(): string[] {
  return [
    "## The hash",
    "",
    "Every line ends with `prev` and `hash`, in this order. `prev` is the `hash` of the previous line, or 64 zeros in a journal's first line. `hash` is the",
    'SHA-256, in hex, of the line\'s bytes up to, but not including, the comma before `"hash"`. `writer-closed` repeats its `prev` as `head`. An example:',
    "",
    "```json",
    ...exampleJournal(),
    "```",
    "",
    "To compute the first hash by hand:",
    "",
    "```sh",
    `head -n 1 WRITER.jsonl | sed 's/,"hash":"[0-9a-f]*".*}$//' | tr -d '\\n' | sha256sum`,
    "```",
    "",
    "A signed line has `sig` after `hash`: `v1:` and the HMAC-SHA-256, in hex, of `wave journal line v1`, a zero byte and the `hash`. The `state-key` is",
    "the key. [State](state.md#signed-journals) describes when lines are signed.",
    "",
    "`wave state verify` checks every line and compares the last one with the database. [State](state.md) describes what it can and cannot detect.",
  ];
}

function exampleJournal(): string[] {
  let prev = noHead;
  return [...example, "closing" as const].map((given, index) => {
    const payload: EventPayload = given === "closing" ? { type: "writer-closed", head: prev } : given;
    const seq = index + 1;
    const ts = new Date(Date.UTC(2026, 0, 31, 12, 0, seq)).toISOString();
    const front: Omit<Envelope, "hash" | "sig"> = {
      v: journalFormat,
      run: "3f9ac2d014",
      writer: "20260131T120001000Z-9d3e51aa",
      seq,
      clock: 40 + seq,
      ts,
      prev,
    };
    const { event, line } = sealEvent(front, payload);
    prev = event.hash;
    return line.trimEnd();
  });
}

function section(title: string, schema: Schema): string[] {
  const rows = rowsOf(schema, "");
  const table = rows.length === 0 ? [] : ["", "| field | type | meaning |", "|---|---|---|", ...rows];
  return ["", title, "", ...(schema.description === undefined ? [] : [schema.description]), ...table];
}

/** One row per field. Fields of nested maps follow as `map.field`, of lists of maps as `list[].field`. */
function rowsOf({ properties = {}, required = [] }: Schema, prefix: string): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const own = row(prefix + name, schema, required.includes(name));
    const inner = schema.type === "array" ? (schema.items ?? {}) : schema;
    const nested = sharedTitle(inner) === undefined && inner.additionalProperties === false;
    return nested ? [own, ...rowsOf(inner, `${prefix}${name}${schema.type === "array" ? "[]" : ""}.`)] : [own];
  });
}

function row(name: string, schema: Schema, required: boolean): string {
  const { description = "" } = schema;
  return `| \`${name}\`${required ? "" : " (optional)"} | ${cell(typeOf(schema))} | ${cell(description)} |`;
}

function typeOf(schema: Schema): string {
  const title = sharedTitle(schema);
  if (title !== undefined) return `[${title}](#${title.toLowerCase()})`;
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.type === "array") return `list: ${typeOf(schema.items ?? {})}`;
  const [member] = Object.values(schema.patternProperties ?? {});
  if (member !== undefined) return `map: name → ${typeOf(member)}`;
  if (schema.pattern?.includes("sha256:") === true) return "digest";
  if (schema.pattern !== undefined) return "64 hex digits";
  if (schema.format === "date-time") return "date and time";
  return { integer: "whole number", number: "number", boolean: "`true`, `false`", object: "map" }[schema.type ?? ""] ?? "text";
}

function sharedTitle(schema: Schema): string | undefined {
  const text = JSON.stringify(schema);
  return [...shared].find(([, one]) => JSON.stringify(one) === text)?.[0];
}

function plainOf(schema: object): Schema {
  return JSON.parse(JSON.stringify(schema)) as Schema;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
