/** Failures to read or write files and state, and to find a run. */
import type { FailureKinds } from "../failure-kind.ts";
import { writeHint } from "../failure-kind.ts";

export const stateFailures: FailureKinds<
  | "file-unreadable"
  | "state-locked"
  | "state-unreadable"
  | "state-unwritable"
  | "state-damaged"
  | "run-not-found"
  | "run-mismatch"
  | "run-active"
  | "run-complete"
> = {
  "file-unreadable": {
    exit: 4,
    retry: "never",
    describe: ({ path, code, detail }) => ({
      title: `cannot read \`${path}\` (${code})`,
      detail: [detail],
      hint: "check that the file exists and that you have permission to read it",
    }),
  },
  "state-locked": {
    exit: 4,
    retry: "never",
    describe: ({ path, holder }) => ({
      title: `state is locked by ${holder}`,
      detail: [`lock: ${path}`],
      hint: "wait until that process has finished, or end it",
    }),
  },
  "state-unreadable": {
    exit: 4,
    retry: "never",
    describe: ({ path, detail }) => ({
      title: `cannot read state: ${path}`,
      detail: [detail],
      hint: "check that you have permission to read the directory",
    }),
  },
  "state-unwritable": {
    exit: 4,
    retry: "never",
    describe: ({ path, code, detail }) => ({ title: `cannot write state: ${path} (${code})`, detail: [detail], hint: writeHint(code) }),
  },
  "state-damaged": {
    exit: 4,
    retry: "never",
    describe: ({ path, line, detail }) => ({
      title: `state is damaged: ${path}${line === undefined ? "" : `:${line}`}`,
      detail: [detail],
      hint: path.includes("/blobs/")
        ? "the blob was changed or removed after Wave wrote it: restore it from a backup, or make it again with `wave resume RUN --from STEP`"
        : "the file was changed after Wave wrote it: restore it from a backup, or move it away to continue without it",
    }),
  },
  "run-not-found": {
    exit: 2,
    retry: "never",
    describe({ selector, candidates }) {
      const named = candidates.join(", ");
      if (selector !== "" && candidates.length > 1 && candidates.every((run) => run.startsWith(selector)))
        return { title: `several runs match \`${selector}\``, detail: [`matches: ${named}`], hint: "type more characters of the id" };
      if (candidates.length === 0 && selector === "latest")
        return { title: "there are no runs yet", detail: [], hint: "start one with `wave run`" };
      const detail = candidates.length === 0 ? [] : [`newest runs: ${named}`];
      return { title: `no run matches \`${selector}\``, detail, hint: "run `wave status` to list the runs" };
    },
  },
  "run-mismatch": {
    exit: 2,
    retry: "never",
    describe: ({ run, what, theirs, ours }) => ({
      title: `cannot resume run ${run} here: its ${quotedFile(what)} differs from this job's`,
      detail: [`run ${run}: ${theirs}`, `this job: ${ours}`],
      hint: "a job resumes only runs of its own manifest; check out the commit that the run was started from, or start a new run",
    }),
  },
  "run-active": {
    exit: 4,
    retry: "never",
    describe: ({ run, pid, host }) => ({
      title: `process ${pid} on ${host} is executing run ${run}`,
      detail: [],
      hint: `wait until it has finished, or stop it with \`wave cancel ${run}\`, then try again`,
    }),
  },
  "run-complete": {
    exit: 2,
    retry: "never",
    describe: ({ run }) => ({
      title: `run ${run} has already passed`,
      detail: [],
      hint: "there is nothing to resume; start a new run with `wave run`",
    }),
  },
};

/** Files are quoted. Other parts of a definition, such as its environment, are plain words. */
function quotedFile(what: string): string {
  return /[./]/.test(what) ? `\`${what}\`` : what;
}
