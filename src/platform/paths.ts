/** Tests whether paths contain each other, by their text only. Callers resolve symbolic links first. */
import path from "node:path";

/**
 * Whether `child` is `parent` or below it. Both must be absolute: a relative path is never inside, so that the result does not depend on
 * the working directory. `..` and repeated separators are resolved first.
 */
export function isInside(parent: string, child: string): boolean {
  if (!path.isAbsolute(parent) || !path.isAbsolute(child)) return false;
  const relative = path.relative(parent, child);
  return relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

/** `child` relative to `parent`, with forward slashes; `""` for `parent` itself. Undefined if `child` is not inside. */
export function relativeInside(parent: string, child: string): string | undefined {
  return isInside(parent, child) ? path.relative(parent, child).split(path.sep).join("/") : undefined;
}

/**
 * Returns a test whether a path relative to `root`, with forward slashes, is `directory` or below it. No path matches if `directory` is
 * `root` or outside of it.
 */
export function insideTest(root: string, directory: string): (file: string) => boolean {
  const place = relativeInside(root, directory) ?? "";
  if (place === "") return () => false;
  return (file) => file === place || file.startsWith(`${place}/`);
}
