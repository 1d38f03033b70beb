/**
 * Failures and contract results in words, for every place that shows them: what happened, where, and what to do next. Total
 * over `Failure`, so that a new reason does not compile without its sentence. Plain text: no colour, and the texts of
 * children and manifests as they are; whoever prints them escapes them.
 */

import { formatDuration, formatSize } from "../text/quantity.ts";
import { describeAgentFailure } from "./describe-agent.ts";
import { count, type Description, describeChangeFailure } from "./describe-changes.ts";
import { describeExit, renameHint } from "./describe-exit.ts";
import { describeRunFailure } from "./describe-run.ts";
import { describeStateFailure, type StateFailure, writeHint } from "./describe-state.ts";
import { sortDiagnostics } from "./diagnostic.ts";
import { describeExceeded } from "./exceeded-limit.ts";
import { type ContractResult, type Failure, isRunFailure, type RunFailure, type Violation } from "./failure.ts";
import { unreachable } from "./result.ts";
import { countViolations } from "./violation-count.ts";

/** Violations listed in a description; the rest are counted. */
const maxViolations = 20;

/** What happened, where, and what to do next. */
export function describeFailure(failure: Failure): Description {
  if (isRunFailure(failure)) return describeRunFailure(failure);
  switch (failure.reason) {
    case "usage":
      return { title: failure.message, detail: [], ...hinted(failure.hint) };
    case "manifest-invalid":
      return describeDiagnostics(failure);
    case "adapter-missing":
      return {
        title: `step \`${failure.step}\` cannot run: ${failure.detail}`,
        detail: [`its persona is \`${failure.persona}\``],
        hint: failure.hint,
      };
    case "permission-unenforceable":
      return {
        title: `${count(failure.rules.length, "permission")} cannot be enforced here, so nothing was started`,
        detail: failure.rules.map(({ step, rule }) => `step \`${step}\`: ${rule}`),
        hint: failure.rules.some(({ rule }) => rule.startsWith("file_write:"))
          ? "remove `workspace: shared` from the step: writes are checked in a workspace of its own; `sandbox: off` runs it without that protection"
          : "write `sandbox: off` on the step, or at the top of the manifest, to run without that protection",
      };
    case "file-unreadable":
    case "state-locked":
    case "state-unreadable":
    case "state-unwritable":
    case "state-damaged":
    case "run-not-found":
    case "run-mismatch":
    case "run-active":
    case "run-complete":
      return describeStateFailure(failure);
    default:
      return describeAttemptFailure(failure);
  }
}

/** A contract's result: its verdict as title, its violations and output as detail. */
export function describeContract(result: ContractResult): Description {
  const { name, verdict, violations, tail, onFailure } = result;
  const ignored = onFailure === "warn" && verdict !== "pass" ? " (only a warning: on_failure is warn)" : "";
  const detail = violations.slice(0, maxViolations).map(describeViolation);
  const total = countViolations(violations);
  if (violations.length > maxViolations) detail.push(`and ${total - maxViolations} more`);
  if (verdict !== "pass") detail.push(...outputLines(tail));
  switch (verdict) {
    case "pass":
      return { title: `contract \`${name}\` passed`, detail };
    case "fail":
      return { title: `contract \`${name}\` failed: ${count(total, "violation")}${ignored}`, detail, ...renameHint(tail ?? "") };
    case "error":
      return { title: `contract \`${name}\` could not be evaluated${ignored}`, detail };
    default:
      return unreachable(verdict);
  }
}

/** One violation on one line: place, pointer, message. */
export function describeViolation({ message, pointer, location }: Violation): string {
  const place = location === undefined ? "" : `${location.file}:${location.line}:${location.column}`;
  const where = [place, pointer ?? ""].filter((part) => part !== "").join(" ");
  return where === "" ? message : `${where}: ${message}`;
}

type AttemptFailure = Exclude<
  Failure,
  StateFailure | RunFailure | { reason: "usage" | "manifest-invalid" | "adapter-missing" | "permission-unenforceable" }
>;

function describeAttemptFailure(failure: AttemptFailure): Description {
  switch (failure.reason) {
    case "spawn-failed":
      return {
        title: `\`${failure.command}\` could not be started (${failure.code})`,
        detail: [failure.detail],
        hint: spawnHint(failure.code),
      };
    case "adapter-exit":
      return describeExit(failure, outputLines);
    case "adapter-crash":
      return {
        title: `the command was killed by ${failure.signal}`,
        detail: outputLines(failure.tail),
        ...hinted(failure.signal === "SIGKILL" ? "the system may have run out of memory" : undefined),
      };
    case "timeout":
      return {
        title: `the attempt took longer than ${formatDuration(failure.limitMs)}`,
        detail: outputLines(failure.tail),
        hint: "raise `resources.timeout` of the step or persona if the work needs longer",
      };
    case "memory-exceeded":
    case "disk-exceeded":
      return describeLimitFailure(failure);
    case "agent-failed":
    case "budget-exceeded":
    case "recording-missing":
      return describeAgentFailure(failure, outputLines);
    case "empty-output":
      return { title: "the attempt ended well but did no work", detail: [failure.detail] };
    case "input-unavailable":
      return {
        title: `input \`${failure.input}\` from step \`${failure.from}\` is not there`,
        detail: [failure.detail],
        hint: `run step \`${failure.from}\` again: \`wave resume\` does when its output is gone`,
      };
    case "workspace-failed":
      return {
        title: `the workspace could not be made or used (${failure.code})`,
        detail: [failure.detail],
        ...hinted(failure.code === "ENOSPC" ? writeHint(failure.code) : undefined),
      };
    case "contract-failed":
    case "contract-error":
    case "contract-limit-exceeded":
    case "circuit-open":
      return describeGateFailure(failure);
    case "write-denied":
    case "changeset-refused":
    case "merge-conflict":
    case "project-changed":
      return describeChangeFailure(failure);
    default:
      return describeArtifactFailure(failure);
  }
}

function describeLimitFailure(failure: Extract<Failure, { reason: "memory-exceeded" | "disk-exceeded" }>): Description {
  const limit = formatSize(failure.limitBytes);
  const [what, key] =
    failure.reason === "memory-exceeded"
      ? [`took ${formatSize(failure.peakBytes)} of memory`, "memory_limit"]
      : [`filled ${formatSize(failure.usedBytes)} of disk`, "disk_limit"];
  return {
    title: `the attempt ${what}, more than the limit of ${limit}`,
    detail: [],
    hint: `raise \`resources.${key}\` of the step or persona if the work needs more`,
  };
}

function describeGateFailure(
  failure: Extract<Failure, { reason: "contract-failed" | "contract-error" | "contract-limit-exceeded" | "circuit-open" }>,
): Description {
  switch (failure.reason) {
    case "contract-failed": {
      const described = failure.contracts.filter(({ verdict }) => verdict !== "pass").map(describeContract);
      const [only] = described;
      if (only !== undefined && described.length === 1) return only;
      return {
        title: `${count(described.length, "contract")} failed`,
        detail: described.flatMap(({ title, detail }) => [title, ...detail.map((line) => `  ${line}`)]),
        ...hinted(described.find(({ hint }) => hint !== undefined)?.hint),
      };
    }
    case "contract-error":
      return {
        title: `contract \`${failure.contract}\` could not be evaluated`,
        detail: [failure.detail],
        hint: "the step's work was not judged; correct the contract, then `wave resume --update`",
      };
    case "contract-limit-exceeded":
      return {
        title: `contract \`${failure.contract}\` could not be evaluated within its limits`,
        detail: [describeExceeded(failure.limit)],
        hint:
          failure.limit.what === "size"
            ? "reduce the artifact to what later steps need"
            : "simplify the patterns and references of the schema, or reduce the artifact",
      };
    case "circuit-open":
      return {
        title: `contract \`${failure.contract}\` failed too often with persona \`${failure.persona}\`: ${failure.failed} of the last ${failure.window} attempts`,
        detail: [`one attempt is let through again after ${failure.retryAt}`],
        hint: "correct the persona or the contract, then `wave resume --update` (an edited one starts with a closed circuit), or pass --reset-circuit",
      };
    default:
      return unreachable(failure);
  }
}

type ArtifactFailure = Extract<
  Failure,
  { reason: "artifact-missing" | "artifact-ambiguous" | "artifact-refused" | "artifact-too-large" | "secret-leaked" }
>;

function describeArtifactFailure(failure: ArtifactFailure): Description {
  switch (failure.reason) {
    case "artifact-missing":
      return {
        title: `${failure.artifacts.length === 1 ? "artifact" : "artifacts"} ${failure.artifacts.map((name) => `\`${name}\``).join(", ")} ${failure.artifacts.length === 1 ? "was" : "were"} not made`,
        detail: failure.searched.length === 0 ? [] : [`looked for: ${failure.searched.join(", ")}`],
        hint: "the step has to leave it in $WAVE_OUTPUT_DIR under its name, or at the artifact's `path`",
      };
    case "artifact-ambiguous":
      return {
        title: `artifact \`${failure.artifact}\` could be any of ${failure.matches.length} files`,
        detail: [...failure.matches],
        hint: "give the artifact a `path` that matches one file",
      };
    case "artifact-refused":
      return {
        title: `artifact \`${failure.artifact}\` was refused: ${failure.path}`,
        detail: [failure.detail],
        hint: "an artifact is a regular file inside the workspace",
      };
    case "artifact-too-large":
      return {
        title: `artifact \`${failure.artifact}\` has ${formatSize(failure.size)}, more than the limit of ${formatSize(failure.limit)}`,
        detail: [],
        hint: "split it, or leave out what later steps do not need",
      };
    case "secret-leaked":
      return {
        title: `\`${failure.artifact}\` contains a secret, so nothing of the attempt was kept`,
        detail: failure.kind === undefined ? [] : [`it holds what looks like: ${failure.kind}`],
        hint: "keep the secret out of what the step writes",
      };
    default:
      return unreachable(failure);
  }
}

function describeDiagnostics({ diagnostics }: Extract<Failure, { reason: "manifest-invalid" }>): Description {
  const errors = sortDiagnostics(diagnostics.filter(({ severity }) => severity === "error"));
  return {
    title: `the manifest has ${count(errors.length, "error")}`,
    detail: errors.map(
      ({ code, message, origin: { file, range } }) => `${file}:${range.start.line}:${range.start.column}: ${message} (${code})`,
    ),
    hint: "`wave validate` shows them in place",
  };
}

function spawnHint(code: string): string {
  switch (code) {
    case "ENOENT":
      return "check that the program is installed and on PATH, and the spelling of `command`";
    case "EACCES":
      return "make the file executable";
    case "E2BIG":
      return "the arguments are too long; pass the text on standard input or in a file";
    case "EAGAIN":
    case "EMFILE":
    case "ENFILE":
    case "ENOMEM":
      return "this machine is out of processes, open files or memory; run fewer steps at once (`--concurrency`) or raise its limits";
    default:
      return "check the persona's `command`";
  }
}

/** The end of a child's output, as lines that stand apart. */
function outputLines(tail: string | undefined): string[] {
  const text = tail?.trimEnd() ?? "";
  return text === "" ? [] : ["the end of its output:", ...text.split(/\r?\n/).map((line) => `  ${line}`)];
}

function hinted(hint: string | undefined): { hint?: string } {
  return hint === undefined ? {} : { hint };
}
