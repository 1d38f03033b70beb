/**
 * Resolves the path of a remark to a file of the pull request. A step may write it relative to the repository or the project,
 * or as an absolute path in the checkout. Pure.
 */
import path from "node:path";
import { type DiffLines, isInDiff } from "./diff-lines.ts";

export interface RemarkPlaces {
  /** The project's directory in the repository: empty, or ending in `/`. */
  readonly prefix: string;
  /** Absolute paths of the repository's root, with forward slashes. Symbolic links can lead to several. */
  readonly tops: readonly string[];
  /** Whether a path relative to the repository is an existing file. */
  readonly isFile: (path: string) => boolean;
}

interface Remark {
  readonly path: string;
  readonly side: string;
  readonly line: number;
  readonly startLine?: number;
}

/**
 * The path relative to the repository. Of several candidates, prefers one with the remark's line in the diff, then one in the
 * diff, then an existing file, and among equals the project's. A path without a candidate is returned unchanged.
 */
export function remarkPath(remark: Remark, lines: DiffLines, { prefix, tops, isFile }: RemarkPlaces): string {
  const paths = candidates(remark.path, prefix, tops);
  return (
    paths.find((one) => isInDiff(lines, { ...remark, path: one })) ??
    paths.find((one) => lines.has(`${one}\0${remark.side}`)) ??
    paths.find(isFile) ??
    remark.path
  );
}

function candidates(written: string, prefix: string, tops: readonly string[]): readonly string[] {
  const all = path.posix.isAbsolute(written)
    ? tops.flatMap((top) => (written.startsWith(`${top}/`) ? [written.slice(top.length + 1)] : []))
    : [`${prefix}${written}`, written];
  return [...new Set(all.map((one) => path.posix.normalize(one)))].filter((one) => one !== ".." && !one.startsWith("../"));
}
