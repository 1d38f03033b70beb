/** Reads project files for code frames. An invalid manifest has no loaded project to take their texts from. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { locateProject, type ProjectRequest } from "../engine/open-project.ts";

/** Returns a file's text by its path relative to the project's root. Undefined for unreadable files, and for files that are not on disk. */
export function manifestTexts(request: Pick<ProjectRequest, "cwd" | "files" | "known">): (file: string) => string | undefined {
  if (request.known?.source !== undefined) return () => undefined;
  const located = locateProject(request);
  if (!located.ok) return () => undefined;
  return (file) => {
    try {
      return readFileSync(path.join(located.value.root, file), "utf8");
    } catch {
      return undefined;
    }
  };
}
