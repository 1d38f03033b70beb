/** Paths as manifests write them. Pure: what the paths lead to is the file source's matter. */
import path from "node:path";

/** A path relative to the project root in its shortest form, with forward slashes; `./a//b.json` gives `a/b.json`. */
export function normalizePath(written: string): string {
  const normal = path.posix.normalize(written);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/** The schema of a `json_schema` contract that names none. */
export function defaultSchema(artifact: string): string {
  return `.wave/contracts/${artifact}.schema.json`;
}

/** Whether a path, by its text alone, stays inside the project: relative, without a way up and without NUL. */
export function staysInside(written: string): boolean {
  if (written === "" || written.includes("\0") || path.posix.isAbsolute(written) || path.win32.isAbsolute(written)) return false;
  const first = normalizePath(written).split("/", 1)[0];
  return first !== ".." && !/^[A-Za-z]:/.test(written);
}
