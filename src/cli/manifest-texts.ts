/** Texts of project files for code frames, read again from disk: a manifest that does not hold has no project to ask. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { locateProject, type ProjectRequest } from "../engine/open-project.ts";

/** Returns the text of a file by its path relative to the project's root, or nothing. Files that are not read from the disk have no text here. */
export function manifestTexts(request: Pick<ProjectRequest, "cwd" | "files" | "source">): (file: string) => string | undefined {
  if (request.source !== undefined) return () => undefined;
  const located = locateProject({ ...request, env: {} });
  if (!located.ok) return () => undefined;
  return (file) => {
    try {
      return readFileSync(path.join(located.value.root, file), "utf8");
    } catch {
      return undefined;
    }
  };
}
