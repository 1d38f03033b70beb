/** Finds the overlay that `--env NAME` adds. */
import path from "node:path";

/** The overlay for an environment: `dir/wave.staging.yaml` for `dir/wave.yaml` and `staging`. */
export function environmentOverlay(file: string, environment: string): string {
  const { dir, name, ext } = path.posix.parse(file);
  return path.posix.join(dir, `${name}.${environment}${ext}`);
}

/** Whether a text is a valid environment name. It becomes part of a file name. */
export function isEnvironmentName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(text);
}

/** The environments with overlays among `names`, sorted. */
export function environmentsBeside(file: string, names: readonly string[]): string[] {
  const { name, ext } = path.posix.parse(file);
  const prefix = `${name}.`;
  return names
    .filter((candidate) => candidate.startsWith(prefix) && candidate.endsWith(ext) && candidate.length > prefix.length + ext.length)
    .map((candidate) => candidate.slice(prefix.length, candidate.length - ext.length));
}
