/** Turns an adapter's final message into an artifact's bytes. Nothing is repaired: what does not parse is left as it is. Pure. */
import type { StepArtifact } from "../core/pipeline.ts";
import { mediaTypeOf, mediaTypeOfContent } from "./media-type.ts";

/** What a message says as an artifact. */
export interface MessageContent {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/**
 * The artifact in a message: the inside of a fence when one JSON fence is the whole message (and the artifact is not declared
 * to be something else), else the message itself, to the byte.
 */
export function messageContent(message: string, { name, mediaType }: StepArtifact): MessageContent {
  const declared = mediaType ?? mediaTypeOf(name);
  const inside = declared === undefined || isJsonType(declared) ? insideJsonFence(message) : undefined;
  const bytes = Buffer.from(inside ?? message);
  const shown = mediaTypeOfContent(bytes) === "application/json" ? "application/json" : "text/markdown";
  return { bytes, mediaType: declared ?? shown };
}

function insideJsonFence(message: string): string | undefined {
  const found = /^(`{3,}|~{3,})json[ \t]*\r?\n([\s\S]*?)\r?\n?\1$/i.exec(message.trim());
  const inside = found?.[2];
  return inside === undefined || inside.includes(found?.[1] ?? "") ? undefined : inside;
}

function isJsonType(mediaType: string): boolean {
  return /[/+]json$/.test(mediaType);
}
