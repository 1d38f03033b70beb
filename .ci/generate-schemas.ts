/** Generates JSON Schemas for editors and other tools from the schemas that the types are inferred from. */
import { type Envelope, journalFormat } from "../src/core/event.ts";
import { eventSchemas } from "../src/core/event-schemas.ts";
import { ManifestSchema, PersonaSchema, PipelineFileSchema } from "../src/manifest/schema/manifest.ts";
import { ReviewSchema } from "../src/manifest/schema/review.ts";
import { TestFileSchema } from "../src/manifest/schema/test-file.ts";

const dialect = "http://json-schema.org/draft-07/schema#";

export function manifestSchema(): string {
  return printed("manifest", "Wave manifest", ManifestSchema);
}

export function pipelineSchema(): string {
  return printed("pipeline", "Wave pipeline file", PipelineFileSchema);
}

export function reviewSchema(): string {
  return printed("review", "Wave review of a pull request", ReviewSchema);
}

export function personaSchema(): string {
  return printed("persona", "Wave persona", PersonaSchema);
}

export function testSchema(): string {
  return printed("test", "Wave test of a pipeline", TestFileSchema);
}

/** The members that the journal adds to every event; its type is `Envelope`. */
export const envelope = {
  v: { const: journalFormat, description: "Version of the format." },
  run: { type: "string", description: "Id of the run." },
  writer: { type: "string", description: "Id of the process that wrote the line." },
  seq: { type: "integer", minimum: 1, description: "Line number of the writer, from 1, without gaps." },
  clock: { type: "integer", minimum: 1, description: "Lamport clock." },
  ts: { type: "string", format: "date-time", description: "Time of writing, in UTC." },
  prev: { type: "string", pattern: "^[0-9a-f]{64}$", description: "`hash` of the writer's previous line; zeros for its first." },
  hash: { type: "string", pattern: "^[0-9a-f]{64}$", description: "SHA-256 over the line's bytes before this member." },
  sig: {
    type: "string",
    pattern: "^v1:[0-9a-f]{64}$",
    description: "`v1:` and an HMAC-SHA-256 over `hash`, in journals that are signed with a `state-key`.",
  },
} satisfies Record<keyof Envelope, object>;

export function eventsSchema(): string {
  const oneOf = Object.entries(eventSchemas).map(([type, schema]) => {
    const { properties, required = [] } = JSON.parse(JSON.stringify(schema)) as { properties: Record<string, object>; required?: string[] };
    return {
      type: "object",
      title: type,
      required: ["type", ...Object.keys(envelope).filter((name) => name !== "sig"), ...required],
      properties: { type: { const: type }, ...envelope, ...properties },
      additionalProperties: false,
    };
  });
  return printed("events", "Wave event", { description: "One line of a run's journal.", oneOf });
}

function printed(name: string, title: string, schema: object): string {
  return `${JSON.stringify({ $schema: dialect, $id: `${name}.schema.json`, title, ...schema }, undefined, 2)}\n`;
}
