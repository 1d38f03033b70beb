/** The path of the database and the stamp of its file. Does not load SQLite. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { tryIo } from "../platform/files.ts";

export function databaseFile(stateDir: string): string {
  return path.join(stateDir, "wave.db");
}

/** Identifies the content of a file, which is always replaced as a whole. Undefined if there is no file. */
export async function stampOf(file: string): Promise<string | undefined> {
  const found = await tryIo(() => stat(file, { bigint: true }));
  return found.ok ? `${found.value.ino}:${found.value.size}:${found.value.mtimeNs}` : undefined;
}
