/** Settings of adapters and prices of models in a manifest. For types and for the generator, as `manifest.ts`. */
import { Type } from "typebox";
import { Command, projectPath, strict } from "./primitives.ts";

const dollars = (what: string) => Type.Number({ minimum: 0, description: `US dollars for a million tokens ${what}.` });

export const PriceSchema = Type.Object(
  {
    input: dollars("read"),
    output: dollars("written"),
    cache_read: Type.Optional(dollars("read from the model's cache; absent: as `input`")),
    cache_write: Type.Optional(dollars("written to the model's cache; absent: as `input`")),
  },
  { ...strict, description: "What a model costs." },
);

/** Settings for every persona on one adapter. */
export const AdapterSettingsSchema = Type.Object(
  {
    command: Type.Optional(Command),
    version: Type.Optional(Type.String({ minLength: 1, description: "The exact version of the agent." })),
    base_url: Type.Optional(Type.String({ pattern: "^https?://", description: "The endpoint of the model API." })),
    model: Type.Optional(Type.String({ minLength: 1, description: "The model of personas that name none." })),
    recordings: Type.Optional(projectPath("For `replay`: the directory of the recording.")),
    prices: Type.Optional(
      Type.Record(Type.String(), PriceSchema, { description: "Model → its price, which counts instead of the agent's own count of cost." }),
    ),
  },
  { ...strict, description: "Settings for every persona on this adapter." },
);
