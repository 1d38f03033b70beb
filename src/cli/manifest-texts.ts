/** Reads project files for code frames. An invalid manifest has no loaded project to take their texts from. */
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { locateProject, type ProjectRequest } from "../engine/open-project.ts";

/** Returns a file's text by its path relative to the project's root. Undefined for unreadable files, and for files that are not on disk. */
export function manifestTexts(request: Pick<ProjectRequest, "cwd" | "files" | "known">): (file: string) => string | undefined {
  if (request.known?.source !== undefined) return () => undefined;
  const located = locateProject(request);
  if (!located.ok) return () => undefined;
  return (file) => {
    try {
      const place = path.join(located.value.root, file);
      // Reading a FIFO would wait for a writer.
      return statSync(place).isFile() ? readFileSync(place, "utf8") : undefined;
    } catch {
      return undefined;
    }
  };
}
