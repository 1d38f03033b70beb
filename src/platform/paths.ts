/** Containment of paths, by their text alone. Callers that meet symbolic links resolve both paths first. */
import path from "node:path";

/**
 * Whether `child` is `parent` or below it. Both are absolute; a relative path is inside nothing, so that no answer depends on the
 * working directory. `..` and repeated separators are resolved before the paths are compared.
 */
export function isInside(parent: string, child: string): boolean {
  if (!path.isAbsolute(parent) || !path.isAbsolute(child)) return false;
  const relative = path.relative(parent, child);
  return relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

/** `child` relative to `parent` with forward slashes, `""` for `parent` itself. Undefined if `child` is not inside. */
export function relativeInside(parent: string, child: string): string | undefined {
  return isInside(parent, child) ? path.relative(parent, child).split(path.sep).join("/") : undefined;
}

/**
 * Returns a predicate over paths relative to `root`, with forward slashes: whether one is `directory` or below it. No path matches if
 * `directory` is `root` or outside it.
 */
export function insideTest(root: string, directory: string): (file: string) => boolean {
  const place = relativeInside(root, directory) ?? "";
  if (place === "") return () => false;
  return (file) => file === place || file.startsWith(`${place}/`);
}
