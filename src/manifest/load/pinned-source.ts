/** Project files as they were pinned when a run began. Knows nothing of the disk. */
import path from "node:path";
import type { FileSource } from "../../core/ports.ts";
import { normalizePath, staysInside } from "../../core/project-path.ts";

/**
 * Reads files through a look-up. `paths` are all that were pinned, relative to the project root with forward slashes:
 * what is not among them was not there when the run began.
 */
export function pinnedSource(read: (path: string) => Promise<Uint8Array | undefined>, paths: readonly string[]): FileSource {
  const pinned = new Map(paths.map((file) => [normalizePath(file), file]));
  return {
    async read(file, limit, scope = "project") {
      if (scope === "project" && !staysInside(file)) return { kind: "outside" };
      const name = pinned.get(normalizePath(file));
      if (name === undefined) return { kind: "missing" };
      const bytes = await read(name);
      if (bytes === undefined) return { kind: "unreadable", code: "ENOENT", detail: "its pinned bytes are gone from state" };
      return bytes.length > limit ? { kind: "too-large", size: bytes.length, limit } : { kind: "bytes", bytes };
    },
    list: async (directory) =>
      [...pinned.keys()]
        .filter((file) => path.posix.dirname(file) === normalizePath(directory))
        .map((file) => path.posix.basename(file))
        .sort(),
  };
}
