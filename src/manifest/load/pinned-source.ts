/** Reads project files from the copies that were stored at the start of a run. */
import path from "node:path";
import type { FileSource } from "../../core/ports.ts";
import { normalizePath, staysInside } from "../../core/project-path.ts";

/** `paths` are all stored files, relative to the project root with forward slashes. Other files count as missing. */
export function pinnedSource(read: (path: string) => Promise<Uint8Array | undefined>, paths: readonly string[]): FileSource {
  const pinned = new Map(paths.map((file) => [normalizePath(file), file]));
  return {
    async read(file, limit, scope = "project") {
      if (scope === "project" && !staysInside(file)) return { kind: "outside" };
      const name = pinned.get(normalizePath(file));
      if (name === undefined) return { kind: "missing" };
      const bytes = await read(name);
      if (bytes === undefined) return { kind: "unreadable", code: "ENOENT", detail: "its stored copy is missing from the state" };
      return bytes.length > limit ? { kind: "too-large", size: bytes.length, limit } : { kind: "bytes", bytes };
    },
    list: async (directory) =>
      [...pinned.keys()]
        .filter((file) => path.posix.dirname(file) === normalizePath(directory))
        .map((file) => path.posix.basename(file))
        .sort(),
  };
}
