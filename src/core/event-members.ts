/** Building blocks of `event-schemas.ts`. Imported only for types and by the generator. */
import { Type } from "typebox";
import type { Digest } from "./digest.ts";
import type { Usage } from "./usage.ts";

/** Options of a map without additional properties. */
export const strictMap = (description: string) => ({ additionalProperties: false, description }) as const;
export const text = (description: string) => Type.String({ description });
export const texts = (description: string) => Type.Array(Type.String(), { description });
export const flag = (description: string) => Type.Boolean({ description });
/** An integer of at least `minimum`. */
export const count = (description: string, minimum = 0) => Type.Integer({ minimum, description });
export const digest = (description: string) => Type.Unsafe<Digest>({ type: "string", pattern: "^sha256:[0-9a-f]{64}$", description });
export const digests = (description: string) => Type.Record(Type.String(), digest("SHA-256 digest."), { description });
/** Model usage of an attempt. */
export const usage = Type.Optional(
  Type.Unsafe<Usage>(
    Type.Object(
      {
        turns: count("Model responses."),
        toolCalls: count("Tool calls."),
        denials: count("Tool calls that were denied."),
        inputTokens: count("Input tokens, without those read from the cache."),
        outputTokens: count("Output tokens."),
        cacheReadTokens: count("Tokens read from the model's cache."),
        cacheWriteTokens: count("Tokens written to the model's cache."),
        costUsd: Type.Optional(Type.Number({ minimum: 0, description: "Cost in US dollars, as reported by the agent." })),
      },
      strictMap("Model usage of the attempt. Absent if its adapter uses no model."),
    ),
  ),
);
