/** The lines of a pull request that can be commented on: those in the hunks of its diff. Pure. */
import type { PullFile } from "../../core/github.ts";

/** `path\0side` → line → number of its hunk. */
export type DiffLines = ReadonlyMap<string, ReadonlyMap<number, number>>;

export function diffLines(files: readonly PullFile[]): DiffLines {
  const lines = new Map<string, Map<number, number>>();
  for (const { path, patch } of files) {
    const left = new Map<number, number>();
    const right = new Map<number, number>();
    lines.set(`${path}\0LEFT`, left);
    lines.set(`${path}\0RIGHT`, right);
    let at = { left: 0, right: 0, hunk: 0 };
    for (const line of patch?.split("\n") ?? []) {
      const head = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
      if (head !== null) at = { left: Number(head[1]), right: Number(head[2]), hunk: at.hunk + 1 };
      else if (line.startsWith("-")) left.set(at.left++, at.hunk);
      else if (line.startsWith("+")) right.set(at.right++, at.hunk);
      else if (line.startsWith(" ") || line === "") {
        left.set(at.left++, at.hunk);
        right.set(at.right++, at.hunk);
      }
    }
  }
  return lines;
}

/** Whether all lines of a remark are in one hunk of the diff. */
export function isInDiff(
  lines: DiffLines,
  remark: { readonly path: string; readonly side: string; readonly line: number; readonly startLine?: number },
): boolean {
  const hunks = lines.get(`${remark.path}\0${remark.side}`);
  const hunk = hunks?.get(remark.line);
  return hunk !== undefined && (remark.startLine === undefined || hunks?.get(remark.startLine) === hunk);
}
