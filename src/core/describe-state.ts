/** Failures of state in words. */
import type { Description } from "./describe-changes.ts";
import type { Failure } from "./failure.ts";
import { unreachable } from "./result.ts";

/** Failures of reading and writing files and state, and of finding a run there. */
export type StateFailure = Extract<
  Failure,
  {
    reason:
      | "file-unreadable"
      | "state-locked"
      | "state-unreadable"
      | "state-unwritable"
      | "state-damaged"
      | "run-not-found"
      | "run-mismatch"
      | "run-active"
      | "run-complete";
  }
>;

/** What happened, and what to do next. */
export function describeStateFailure(failure: StateFailure): Description {
  switch (failure.reason) {
    case "file-unreadable":
      return {
        title: `\`${failure.path}\` cannot be read (${failure.code})`,
        detail: [failure.detail],
        hint: "check that the file is there and that you may read it",
      };
    case "state-locked":
      return {
        title: `state is locked by ${failure.holder}`,
        detail: [`lock: ${failure.path}`],
        hint: "wait until it is done, or end that process",
      };
    case "state-unreadable":
      return { title: `state cannot be read: ${failure.path}`, detail: [failure.detail], hint: "check that you may read the directory" };
    case "state-unwritable":
      return {
        title: `state cannot be written: ${failure.path} (${failure.code})`,
        detail: [failure.detail],
        hint: writeHint(failure.code),
      };
    case "state-damaged":
      return {
        title: `state is damaged: ${failure.path}${failure.line === undefined ? "" : `:${failure.line}`}`,
        detail: [failure.detail],
        hint: "the file is not what wave wrote; restore it from a copy, or move it away to go on without it",
      };
    case "run-not-found":
      return describeMissingRun(failure);
    case "run-mismatch":
      return {
        title: `run ${failure.run} cannot be resumed here: its ${quotedFile(failure.what)} differs from this job's`,
        detail: [`run ${failure.run}: ${failure.theirs}`, `this job: ${failure.ours}`],
        hint: "a job resumes only runs of its own manifest; check out the commit that the run was started from, or start a new run",
      };
    case "run-active":
      return {
        title: `run ${failure.run} is being executed by process ${failure.pid} on ${failure.host}`,
        detail: [],
        hint: "wait until it is done, or end it with `wave cancel`, then try again",
      };
    case "run-complete":
      return { title: `run ${failure.run} passed already`, detail: [], hint: "there is nothing to resume; `wave run` starts another" };
    default:
      return unreachable(failure);
  }
}

/** A prefix of several ids, or a word that matches none: then the candidates are the newest runs. */
function describeMissingRun({ selector, candidates }: Extract<Failure, { reason: "run-not-found" }>): Description {
  const named = candidates.join(", ");
  if (candidates.length > 1 && candidates.every((run) => run.startsWith(selector)))
    return { title: `several runs match \`${selector}\``, detail: [`it could be: ${named}`], hint: "write more of the id" };
  const detail = candidates.length === 0 ? [] : [`newest runs: ${named}`];
  return { title: `no run matches \`${selector}\``, detail, hint: "`wave status` lists the runs" };
}

/** Files stand in backticks; parts of a definition, such as its environment, are plain words. */
function quotedFile(what: string): string {
  return /[./]/.test(what) ? `\`${what}\`` : what;
}

/** What to do about a place that cannot be written, by the errno name. */
export function writeHint(code: string): string {
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return "the disk is full; make room, then `wave resume`";
    case "EROFS":
      return "the file system is read-only; set `state.location` to a place that can be written";
    default:
      return "check that you may write there, or set `state.location` to another place";
  }
}
