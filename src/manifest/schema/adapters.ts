/** Schemas of adapter settings and model prices. Imported for types and by the generator only, like `manifest.ts`. */
import { Type } from "typebox";
import { CommandValue, projectPath, strict } from "./primitives.ts";

const dollars = (what: string) => Type.Number({ minimum: 0, description: `US dollars per million ${what}.` });

export const PriceSchema = Type.Object(
  {
    input: dollars("input tokens"),
    output: dollars("output tokens"),
    cache_read: Type.Optional(dollars("tokens read from the model's cache. Defaults to `input`")),
    cache_write: Type.Optional(dollars("tokens written to the model's cache. Defaults to `input`")),
  },
  { ...strict, description: "Price of a model." },
);

/** Settings for every persona that uses one adapter. */
export const AdapterSettingsSchema = Type.Object(
  {
    command: Type.Optional(CommandValue),
    version: Type.Optional(Type.String({ minLength: 1, description: "Exact version of the agent." })),
    base_url: Type.Optional(Type.String({ pattern: "^https?://", description: "URL of the model API." })),
    model: Type.Optional(Type.String({ minLength: 1, description: "Model for personas that do not set one." })),
    recordings: Type.Optional(projectPath("Directory of the recording. Only for `replay`.")),
    prices: Type.Optional(
      Type.Record(Type.String(), PriceSchema, {
        description: "Prices by model name. They take precedence over the cost that the agent reports.",
      }),
    ),
  },
  { ...strict, description: "Settings for every persona that uses this adapter." },
);
