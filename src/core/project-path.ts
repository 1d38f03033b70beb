/** Paths as written in manifests. Pure: files are not accessed. */
import path from "node:path";

/** Normalizes a path relative to the project root, with forward slashes: `./a//b.json` becomes `a/b.json`. */
export function normalizePath(written: string): string {
  const normal = path.posix.normalize(written);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/** The default schema file of a `json_schema` contract. */
export function defaultSchema(artifact: string): string {
  return `.wave/contracts/${artifact}.schema.json`;
}

/** Whether `written` is a URL such as `https://example.com/persona.yaml`. */
export function isUrl(written: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(written);
}

/** Whether a path stays inside the project, judged by its text only: relative, without leading `..` and without NUL. */
export function staysInside(written: string): boolean {
  if (written === "" || written.includes("\0") || path.posix.isAbsolute(written) || path.win32.isAbsolute(written)) return false;
  const first = normalizePath(written).split("/", 1)[0];
  return first !== ".." && !/^[A-Za-z]:/.test(written);
}
