/** The shape of one entry in the table of failures (`failures.ts`), and the parts that descriptions share. */
import type { Failure, FailureReason } from "./failure.ts";

/** A failure as text, without colors. Names and output of children are verbatim; callers escape them. */
export interface Description {
  /** One line, without a full stop. */
  readonly title: string;
  /** More lines, the most important first; the end of a child's output last. */
  readonly detail: string[];
  /** What to do next. */
  readonly hint?: string;
}

/**
 * Whether a failed attempt is retried. `transient`: once. `rate-limit`: up to four times, with growing waits. `failed-contracts`: if every failed contract
 * has retries left. `any-contract`: if any contract of the step has.
 */
export type RetryClass = "never" | "transient" | "rate-limit" | "failed-contracts" | "any-contract";

/** 1: the run failed. 2: the command line or the manifest is wrong. 4: the environment is not ready. 130: cancelled. */
export type ExitCode = 1 | 2 | 4 | 130;

export type FailureOf<R extends FailureReason> = Extract<Failure, { reason: R }>;

/** The properties that depend on a failure's reason. */
export interface FailureKind<F extends Failure> {
  readonly exit: ExitCode;
  readonly retry: RetryClass;
  /** The class of one failure, if it depends on more than the reason. Takes precedence over `retry`. */
  retryOf?(failure: F): RetryClass;
  describe(failure: F): Description;
}

export type FailureKinds<R extends FailureReason> = { readonly [K in R]: FailureKind<FailureOf<K>> };

/** Entries of a list in a description; the rest are counted. */
export const maxListed = 20;

/** The first `maxListed` lines, and how many more there are. */
export function shortened(lines: readonly string[]): string[] {
  const listed = lines.slice(0, maxListed);
  return lines.length > listed.length ? [...listed, `and ${lines.length - listed.length} more`] : listed;
}

/** The end of a child's output, indented below a heading; empty if there is none. */
export function outputTail(tail: string | undefined): string[] {
  const text = tail?.trimEnd() ?? "";
  return text === "" ? [] : ["the end of its output:", ...text.split(/\r?\n/).map((line) => `  ${line}`)];
}

/** A hint for output that contains the message of EXDEV, of glibc, musl or Node. */
export function renameHint(tail: string): Pick<Description, "hint"> {
  return /Invalid cross-device link|Cross-device link|\bEXDEV\b/.test(tail) ? { hint: crossDeviceHint } : {};
}

const crossDeviceHint =
  "in a user namespace, or without Perl and Python 3, an overlay cannot rename directories of the project; set `workspace: { provider: copy }` on the step, or run as root or with passwordless `sudo`";

/** What to do about a path that cannot be written, by the errno name. */
export function writeHint(code: string): string {
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return "the disk is full; free some space, then run `wave resume`";
    case "EROFS":
      return "the file system is read-only; set `state.location` to a writable directory";
    default:
      return "check the permissions of the directory, or set `state.location` to another one";
  }
}
