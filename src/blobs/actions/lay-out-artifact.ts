/** Gives an artifact's bytes a file name that people know, for the archive that they download. */
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

/** The name of the file that an artifact came from, else its own with an ending for its media type. Never a path. */
export function artifactFileName({ name, source, mediaType }: Pick<ArtifactRef, "name" | "source" | "mediaType">): string {
  const from = source === "message" ? "" : path.posix.basename(source);
  const own = from === "" ? `${name}${path.extname(name) === "" ? (endings[mediaType] ?? "") : ""}` : from;
  const plain = own
    .replaceAll(/[^\p{L}\p{N} ._-]/gu, "_")
    .replace(/^\.+/, "_")
    .slice(-150);
  return plain.trim() === "" ? "artifact" : plain;
}

/** Puts the file into a directory. Rejects as the file system does. */
export async function layOutArtifact(stateDir: string, artifact: ArtifactRef, into: string): Promise<string> {
  const file = path.join(into, artifactFileName(artifact));
  const source = blobFile(stateDir, artifact.digest);
  await link(source, file).catch(() => copyFile(source, file));
  return file;
}
