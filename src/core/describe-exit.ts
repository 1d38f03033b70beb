/** The failure of a command by its exit status in words. */
import type { Description } from "./describe-changes.ts";
import type { Failure } from "./failure.ts";

/** `outputLines` returns the end of a child's output as lines that stand apart. */
export function describeExit(
  { exitCode, tail, inProject }: Extract<Failure, { reason: "adapter-exit" }>,
  outputLines: (tail: string) => string[],
): Description {
  const readOnly = inProject === true ? readOnlyHint : closedFilesHint;
  const hint = isRepositoryReadOnly(tail) ? { hint: readOnly } : renameHint(tail);
  return { title: `the command exited with ${exitCode}`, detail: outputLines(tail), ...hint };
}

/** A hint for output that contains the message of EXDEV, of glibc, musl or Node. */
export function renameHint(tail: string): Pick<Description, "hint"> {
  return /Invalid cross-device link|Cross-device link|\bEXDEV\b/.test(tail) ? { hint: crossDeviceHint } : {};
}

const crossDeviceHint =
  "in a user namespace, or without Perl and Python 3, an overlay cannot rename directories of the project; set `workspace: { provider: copy }` on the step, or run as root or with passwordless `sudo`";

const closedFilesHint =
  "hooks and configuration of git are read-only in the sandbox; commits and the other files of `.git` are not, and end with the attempt";

const readOnlyHint =
  "the project's `.git` is read-only in the sandbox: commits are for `publish: commit`, which this version does not have yet; commit after the run, or set `sandbox: off` on the step";

/** Git names the file that it could not lock, and the kernel's reason (EROFS). */
function isRepositoryReadOnly(tail: string): boolean {
  return /(?:\.lock'?|\.git\b[^\n]*): Read-only file system/.test(tail);
}
