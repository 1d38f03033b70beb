/** `--env NAME`: which file it adds. */
import path from "node:path";

/** The overlay of an environment beside a manifest: `dir/wave.yaml` and `staging` give `dir/wave.staging.yaml`. */
export function environmentOverlay(file: string, environment: string): string {
  const { dir, name, ext } = path.posix.parse(file);
  return path.posix.join(dir, `${name}.${environment}${ext}`);
}

/** Whether a text can name an environment: it becomes part of a file name, so it holds no separators and no leading dot. */
export function isEnvironmentName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(text);
}

/** The environments that have overlays among the files beside a manifest, sorted. */
export function environmentsBeside(file: string, names: readonly string[]): string[] {
  const { name, ext } = path.posix.parse(file);
  const prefix = `${name}.`;
  return names
    .filter((candidate) => candidate.startsWith(prefix) && candidate.endsWith(ext) && candidate.length > prefix.length + ext.length)
    .map((candidate) => candidate.slice(prefix.length, candidate.length - ext.length));
}
