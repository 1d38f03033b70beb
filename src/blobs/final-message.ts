/** Converts an adapter's final message to an artifact's bytes. It does not repair invalid JSON. Pure. */
import type { StepArtifact } from "../core/pipeline.ts";
import { mediaTypeOf, mediaTypeOfContent } from "./media-type.ts";

export interface MessageContent {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/**
 * The artifact in a message: the content of the fence if the message is a single JSON fence (unless the artifact declares another
 * media type), else the unchanged message.
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
