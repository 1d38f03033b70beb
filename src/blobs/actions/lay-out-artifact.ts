/** Chooses a readable file name for an artifact in a downloadable archive. */
import { copyFile, link } from "node:fs/promises";
import path from "node:path";
import type { ArtifactRef } from "../../core/event.ts";
import { blobFile } from "../blob-files.ts";

const endings: Readonly<Record<string, string>> = {
  "application/json": ".json",
  "application/x-ndjson": ".jsonl",
  "text/markdown": ".md",
  "text/plain": ".txt",
  "text/html": ".html",
  "text/x-diff": ".diff",
  "application/xml": ".xml",
};

/** The base name of the artifact's source file, else its own name with an extension for its media type. Never a path. */
export function artifactFileName({ name, source, mediaType }: Pick<ArtifactRef, "name" | "source" | "mediaType">): string {
  const from = source === "message" ? "" : path.posix.basename(source);
  const own = from === "" ? `${name}${path.extname(name) === "" ? (endings[mediaType] ?? "") : ""}` : from;
  const plain = own
    .replaceAll(/[^\p{L}\p{N} ._-]/gu, "_")
    .replace(/^\.+/, "_")
    .slice(-150);
  return plain.trim() === "" ? "artifact" : plain;
}

/** Links or copies the artifact into a directory and returns the file's path. Rejects on file system errors. */
export async function layOutArtifact(stateDir: string, artifact: ArtifactRef, into: string): Promise<string> {
  const file = path.join(into, artifactFileName(artifact));
  const source = blobFile(stateDir, artifact.digest);
  await link(source, file).catch(() => copyFile(source, file));
  return file;
}
