/** JSON Schemas for editors and other tools, printed from the schemas that the types are inferred from. */
import type { Envelope } from "../src/core/event.ts";
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

/** What the journal adds to every event; the type is `Envelope`. */
export const envelope = {
  v: { const: 1, description: "The version of the format." },
  run: { type: "string", description: "The run's id." },
  writer: { type: "string", description: "The process that wrote the line." },
  seq: { type: "integer", minimum: 1, description: "Counts the writer's lines, from 1, without gaps." },
  clock: { type: "integer", minimum: 1, description: "A Lamport clock." },
  ts: { type: "string", format: "date-time", description: "When it was written, in UTC." },
  prev: { type: "string", pattern: "^[0-9a-f]{64}$", description: "The `hash` of the writer's line before; zeros for its first." },
  hash: { type: "string", pattern: "^[0-9a-f]{64}$", description: "SHA-256 over the line's own bytes up to here." },
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
