/** Schemas of the members that events share. For types and for the generator, as `event-schemas.ts`. */
import { Type } from "typebox";
import type { Digest } from "./digest.ts";

/** Options of a map: nothing but what it declares, and what it means. */
export const strict = (description: string) => ({ additionalProperties: false, description }) as const;
/** A text. */
export const text = (description: string) => Type.String({ description });
/** A list of texts. */
export const texts = (description: string) => Type.Array(Type.String(), { description });
/** A boolean. */
export const flag = (description: string) => Type.Boolean({ description });
/** An integer of at least `minimum`. */
export const count = (description: string, minimum = 0) => Type.Integer({ minimum, description });
/** A SHA-256 digest. */
export const digest = (description: string) => Type.Unsafe<Digest>({ type: "string", pattern: "^sha256:[0-9a-f]{64}$", description });
/** Digests by name. */
export const digests = (description: string) => Type.Record(Type.String(), digest("A digest."), { description });
