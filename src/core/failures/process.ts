/** Failures of an attempt's process and of its workspace. */
import { formatDuration, formatSizes } from "../../text/quantity.ts";
import { defined } from "../defined.ts";
import { type Description, type FailureKinds, outputTail, renameHint, writeHint } from "../failure-kind.ts";

/** Errors of `spawn` that pass by themselves: the machine is short of resources, or the program is being replaced. */
const passingSpawnErrors: ReadonlySet<string> = new Set(["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "ETXTBSY"]);

export const processFailures: FailureKinds<
  | "spawn-failed"
  | "adapter-exit"
  | "adapter-crash"
  | "timeout"
  | "memory-exceeded"
  | "disk-exceeded"
  | "input-unavailable"
  | "workspace-failed"
> = {
  "spawn-failed": {
    exit: 1,
    retry: "never",
    retryOf: ({ code }) => (passingSpawnErrors.has(code) ? "transient" : "never"),
    describe: ({ command, code, detail }) => ({
      title: `cannot start \`${command}\` (${code})`,
      detail: [detail],
      hint: spawnHint(code),
    }),
  },
  "adapter-exit": {
    exit: 1,
    retry: "any-contract",
    describe({ exitCode, tail, inProject }) {
      const hint = isRepositoryReadOnly(tail) ? { hint: inProject === true ? readOnlyHint : closedFilesHint } : renameHint(tail);
      return { title: `the command exited with ${exitCode}`, detail: outputTail(tail), ...hint };
    },
  },
  "adapter-crash": {
    exit: 1,
    retry: "transient",
    describe: ({ signal, tail }) => ({
      title: `the command was killed by ${signal}`,
      detail: outputTail(tail),
      ...defined({ hint: signal === "SIGKILL" ? "the machine may have run out of memory" : undefined }),
    }),
  },
  timeout: {
    exit: 1,
    retry: "any-contract",
    describe: ({ limitMs, tail }) => ({
      title: `the attempt took longer than ${formatDuration(limitMs)}`,
      detail: outputTail(tail),
      hint: "raise `resources.timeout` of the step or persona if the work needs more time",
    }),
  },
  "memory-exceeded": {
    exit: 1,
    retry: "never",
    describe: ({ peakBytes, limitBytes }) => describeLimit("memory", peakBytes, limitBytes),
  },
  "disk-exceeded": {
    exit: 1,
    retry: "never",
    describe: ({ usedBytes, limitBytes }) => describeLimit("disk", usedBytes, limitBytes),
  },
  "input-unavailable": {
    exit: 1,
    retry: "never",
    describe: ({ input, from, detail }) => ({
      title: `input \`${input}\` from step \`${from}\` is missing`,
      detail: [detail],
      hint: `run step \`${from}\` again: \`wave resume\` does so when its artifacts are missing`,
    }),
  },
  "workspace-failed": {
    exit: 1,
    retry: "never",
    describe: ({ code, detail }) => ({
      title: `the workspace could not be created or used (${code})`,
      detail: [detail],
      ...defined({ hint: code === "ENOSPC" ? writeHint(code) : undefined }),
    }),
  },
};

/** A peak can equal its limit: the kernel kills a process that allocates more. */
function describeLimit(what: "memory" | "disk", used: number, limit: number): Description {
  const [shownUsed, shownLimit] = formatSizes(used, limit);
  const noun = what === "memory" ? "memory" : "disk space";
  return {
    title:
      used > limit
        ? `the attempt used ${shownUsed} of ${noun}, more than the limit of ${shownLimit}`
        : `the attempt reached its ${what} limit of ${shownLimit}`,
    detail: [],
    hint: `raise \`resources.${what}_limit\` of the step or persona if the work needs more`,
  };
}

function spawnHint(code: string): string {
  switch (code) {
    case "ENOENT":
      return "check the spelling of `command`, and that the program is installed and on PATH";
    case "EACCES":
      return "make the file executable";
    case "E2BIG":
      return "the arguments are too long; pass the text on standard input or in a file";
    case "EAGAIN":
    case "EMFILE":
    case "ENFILE":
    case "ENOMEM":
      return "the machine is out of processes, open files or memory; run fewer steps at once (`--concurrency`) or raise its limits";
    default:
      return "check the persona's `command`";
  }
}

const closedFilesHint =
  "git hooks and configuration are read-only in the sandbox; commits and other files of `.git` are writable, and are discarded after the attempt";

const readOnlyHint =
  "the project's `.git` is read-only in the sandbox; commit after the run, or set `sandbox: off` on the step (`publish: commit` is not supported yet)";

/** Git names the file that it could not lock, and the kernel's reason (EROFS). */
function isRepositoryReadOnly(tail: string): boolean {
  return /(?:\.lock'?|\.git\b[^\n]*): Read-only file system/.test(tail);
}
