/** The file of a pull request that a remark means: a step may name it from the repository, from its project, or by the checkout's absolute path. Pure. */
import path from "node:path";
import { type DiffLines, isInDiff } from "./diff-lines.ts";

export interface RemarkPlaces {
  /** The project's directory in the repository: empty, or ending in `/`. */
  readonly prefix: string;
  /** Absolute paths under which the repository's files are known, with forward slashes. */
  readonly tops: readonly string[];
  /** Whether a path relative to the repository is a file there. */
  readonly isFile: (path: string) => boolean;
}

interface Remark {
  readonly path: string;
  readonly side: string;
  readonly line: number;
  readonly startLine?: number;
}

/**
 * The path relative to the repository. If several files could be meant, it is the one with that line in the diff, else one in the diff, else one that
 * exists, and of these the project's first. A path that means no file stays as it is.
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

function candidates(named: string, prefix: string, tops: readonly string[]): readonly string[] {
  const all = path.posix.isAbsolute(named)
    ? tops.flatMap((top) => (named.startsWith(`${top}/`) ? [named.slice(top.length + 1)] : []))
    : [`${prefix}${named}`, named];
  return [...new Set(all.map((one) => path.posix.normalize(one)))].filter((one) => one !== ".." && !one.startsWith("../"));
}
